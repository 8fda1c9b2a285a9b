"""class_create and backups all at once, some of them killed: no image ever misses a database."""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from typing import TYPE_CHECKING

import pytest
from scale import scaled

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from sites import Site

CREATORS, BACKUPS = 8, 3
# Between the listing of the databases and osbackup's snapshot lies time for a class to be created.
OSBACKUP = """#!/bin/sh
sleep 0.2
exec {real} "$@"
"""
# csf with this plugin, and without the lock; and also without what would find the consequences.
UNLOCKED = """
import contextlib, sys
from csf_backup_plugin.hosts import local
from csf_simulator.csf.main import main
local.held = lambda *_, **__: contextlib.nullcontext()
"""
UNPROVEN = """
from csf_backup_plugin.backup import proof
proof._compare_sets = lambda *_: None
"""


class Storm:
    """Rounds of class_create and backups on one repository.

    Args:
        site: where.
        csf: the command csf.
        seed: of who is killed when.
    """

    def __init__(self, site: Site, csf: Sequence[str], seed: int) -> None:
        self._site = site
        self._csf = list(csf)
        self._dice = random.Random(seed)
        wrapper = site.images.parent / "osbackup"
        wrapper.write_text(OSBACKUP.format(real=os.path.join(site.sim.home.bin, "osbackup")))
        wrapper.chmod(0o755)
        self._environment = {
            **site.sim.home.environment(os.environ),
            "CSF_BACKUP_OSBACKUP": str(wrapper),
            "CSF_BACKUP_LOCK_WAIT": "60",
        }
        self.ended: Counter[str] = Counter()
        self.rounds = 0

    def round(self, *, kills: bool) -> None:
        """Let everybody loose, kill one of each kind, and wait for the others."""
        self.rounds += 1
        creations = [self._create(number) for number in range(CREATORS)]
        backups = [self._backup(number) for number in range(BACKUPS)]
        threads = []
        if kills:
            victims = ((creations[0], False), (backups[0], False), (backups[1], True))
            threads = [threading.Thread(target=self._kill, args=victim) for victim in victims]
        for thread in threads:
            thread.start()
        for kind, processes in (("class_create", creations), ("backup", backups)):
            for process in processes:
                self.ended[f"{kind} {process.wait(timeout=120)}"] += 1
        for thread in threads:
            thread.join()

    def _create(self, number: int) -> subprocess.Popen[bytes]:
        name = f"R{self.rounds}C{number}"
        return self._start("class_create", "-database", self._site.master, "-class", name)

    def _backup(self, number: int) -> subprocess.Popen[bytes]:
        image = f"localhost:{self._site.images}/{self.rounds}-{number}.img"
        return self._start(*self._site.command()[1:4], "-image-file", image, "-no-checksum")

    def _start(self, *arguments: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [*self._csf, *arguments],
            env=self._environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def _kill(self, process: subprocess.Popen[bytes], with_children: bool) -> None:  # noqa: FBT001
        time.sleep(self._dice.uniform(0.1, 1.5))
        children = _children(process.pid) if with_children else []
        process.kill()
        for child in children:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child, signal.SIGKILL)

    def misses(self, scratch: Path) -> tuple[int, int]:
        """Restore every image with a receipt; return how many there are, and how many are wrong.

        One is right if its master database knows exactly the classes whose databases came with it.
        """
        scratch.mkdir()
        proven = sorted(self._site.images.glob("*.receipt.json"))
        wrong = 0
        for number, receipt in enumerate(proven):
            facts = json.loads(receipt.read_bytes())
            copy = scratch / str(number)
            copy.mkdir()
            restored = self._site.sim.run(
                ["osrestore", "-f", facts["image"], self._site.repository, str(copy)]
            )
            assert restored.exit_code == 0, restored.stderr
            master = str(copy / os.path.basename(self._site.master))
            as_listed = {os.path.basename(path) for path in facts["databases"]}
            wrong += {*os.listdir(copy)} != as_listed or self._site.sim.check(master) != []
        return len(proven), wrong


def _children(pid: int) -> list[int]:
    with contextlib.suppress(OSError), open(f"/proc/{pid}/task/{pid}/children") as file:
        return [int(child) for child in file.read().split()]
    return []


def test_no_image_misses_a_database(local_site: Site, tmp_path: Path) -> None:
    """Every image with a receipt holds what existed at its instant, and nobody is held up after."""
    storm = Storm(local_site, ["csf"], seed=1)
    with local_site.sim.workload(local_site.master, writers=2) as workload:
        for _ in range(scaled(2)):
            storm.round(kills=True)
    proven, wrong = storm.misses(tmp_path / "copies")
    print(f"{proven} images proven, {wrong} wrong; {dict(sorted(storm.ended.items()))}")
    assert workload.result().transactions
    assert wrong == 0
    assert proven >= storm.rounds  # at least the backup that nobody killed
    assert set(storm.ended) <= {
        f"{kind} {code}" for kind in ("class_create", "backup") for code in (0, -9)
    }
    last = local_site.sim.csf("class_create", "-database", local_site.master, "-class", "Last")
    assert last.exit_code == 0
    assert local_site.backup("-wait", "5").exit_code == 0


@pytest.mark.parametrize("proof", [True, False])
def test_without_the_lock_there_would_be_misses(
    local_site: Site, tmp_path: Path, *, proof: bool
) -> None:
    """The proof finds them (exit 41); without it too they would count as backups."""
    program = UNLOCKED + ("" if proof else UNPROVEN) + "main()"
    storm = Storm(local_site, [sys.executable, "-c", program], seed=2)
    for attempt in range(10):
        storm.round(kills=False)
        proven, wrong = storm.misses(tmp_path / f"copies{attempt}")
        if storm.ended["backup 41"] if proof else wrong:
            break
    print(f"{proven} images proven, {wrong} wrong; {dict(sorted(storm.ended.items()))}")
    assert wrong == 0 if proof else wrong > 0
    assert (storm.ended["backup 41"] > 0) == proof
