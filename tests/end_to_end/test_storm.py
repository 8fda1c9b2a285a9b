"""Many class_create and backups at once, some of them killed: no image ever lacks a database."""

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

from csf_simulator.repository import repository

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
from csf_backup_plugin.hosts.local import lock
from csf_simulator.csf.main import main
lock.held = lambda *_, **__: contextlib.nullcontext()
"""
UNPROVEN = """
from csf_backup_plugin.operations.backup import proof
proof.differences = proof.list_findings = lambda *_: []
"""


class Storm:
    """Rounds of class_create and backups on repositories of one directory.

    Args:
        site: where.
        csf: the command csf.
        seed: of who is killed when.
        masters: the master databases that take turns; the site's own if there are none.
    """

    def __init__(
        self, site: Site, csf: Sequence[str], seed: int, masters: Sequence[str] = ()
    ) -> None:
        self._site = site
        self._masters = masters or [site.master]
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

    def round(self, *, kills: bool, creations_too: bool = True) -> None:
        """Start all commands, kill one of each kind, and wait for the others.

        Args:
            kills: whether anybody is killed.
            creations_too: whether that is a class_create, too.
        """
        self.rounds += 1
        creations = [self._create(number) for number in range(CREATORS)]
        backups = [self._backup(number) for number in range(BACKUPS)]
        threads = []
        if kills:
            victims = [(creations[0], False), (backups[0], False), (backups[1], True)]
            victims = victims if creations_too else victims[1:]
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
        return self._start("class_create", "-database", self._master(number), "-class", name)

    def _master(self, number: int) -> str:
        return self._masters[(self.rounds + number) % len(self._masters)]

    def _backup(self, number: int) -> subprocess.Popen[bytes]:
        image = f"localhost:{self._site.images}/{self.rounds}-{number}.img"
        of = ("-database", self._master(number), "-image-file", image)
        return self._start("admin_database_backup", *of, "-no-checksum")

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
        receipts = sorted(self._site.images.glob("*.receipt.json"))
        wrong = 0
        for number, receipt in enumerate(receipts):
            facts = json.loads(receipt.read_bytes())
            copy = scratch / str(number)
            copy.mkdir()
            restored = self._site.sim.run(
                ["osrestore", "-f", facts["image"], self._site.repository, str(copy)]
            )
            assert restored.exit_code == 0, restored.stderr
            master = str(copy / os.path.basename(facts["master"]))
            as_listed = {os.path.basename(path) for path in facts["databases"]}
            wrong += {*os.listdir(copy)} != as_listed or self._site.sim.check(master) != []
        return len(receipts), wrong

    def numbers(self) -> dict[str, list[int]]:
        """Return the numbers of all proven backups, by repository id."""
        found: dict[str, list[int]] = {}
        for receipt in self._site.images.glob("*.receipt.json"):
            facts = json.loads(receipt.read_bytes())
            found.setdefault(facts["repository_id"], []).append(facts["number"])
        return found


def _children(pid: int) -> list[int]:
    with contextlib.suppress(OSError), open(f"/proc/{pid}/task/{pid}/children") as file:
        return [int(child) for child in file.read().split()]
    return []


def test_no_image_misses_a_database(local_site: Site, tmp_path: Path) -> None:
    """Every image with a receipt has all databases of its time, and no lock stays held."""
    storm = Storm(local_site, ["csf"], seed=1)
    with local_site.sim.workload(local_site.master, writers=2) as workload:
        for _ in range(scaled(2)):
            storm.round(kills=True)
    receipt, wrong = storm.misses(tmp_path / "copies")
    print(f"{receipt} images proven, {wrong} wrong; {dict(sorted(storm.ended.items()))}")
    assert workload.result().transactions
    assert wrong == 0
    assert receipt >= storm.rounds  # at least the backup that was not killed
    assert set(storm.ended) <= {
        f"{kind} {code}" for kind in ("class_create", "backup") for code in (0, -9)
    }
    last = local_site.sim.csf("class_create", "-database", local_site.master, "-class", "Last")
    assert last.exit_code == 0
    assert local_site.backup("-wait", "60").exit_code == 0


def test_two_repositories_in_one_directory_never_mix(local_site: Site, tmp_path: Path) -> None:
    """Every image has all of one repository and nothing of the other; no number comes twice."""
    second = _second(local_site)
    storm = Storm(local_site, ["csf"], seed=3, masters=[local_site.master, second])
    for _ in range(scaled(2)):
        storm.round(kills=True, creations_too=False)
    receipt, wrong = storm.misses(tmp_path / "copies")
    numbers = storm.numbers()
    print(f"{receipt} images proven, {wrong} wrong; {numbers}; {dict(sorted(storm.ended.items()))}")
    assert wrong == 0
    assert receipt >= storm.rounds
    assert len(numbers) == 2
    assert all(len(found) == len({*found}) for found in numbers.values())
    assert {*storm.ended} <= {"class_create 0", "backup 0", "backup -9"}
    for name, master in (("last-lib", local_site.master), ("last-second", second)):
        of = ("-database", master, "-image-file", f"localhost:{local_site.images}/{name}")
        assert local_site.sim.csf("admin_database_backup", *of).exit_code == 0
        made = json.loads((local_site.images / f"{name}.receipt.json").read_bytes())
        assert made["number"] > max(numbers[made["repository_id"]])


def _second(site: Site) -> str:
    """Make another repository in the directory of the first, and give both their manifests."""
    assert site.backup().exit_code == 0
    second = f"{site.repository}/second.db"
    schema = f"{site.repository}/second_schema.db"
    repository.create(site.sim.home.server, second)
    of = ("-database", second, "-rebuild", "-add", schema)
    assert site.sim.csf("admin_database_manifest", *of).exit_code == 0
    return second


@pytest.mark.parametrize("proof", [True, False])
def test_without_the_lock_there_would_be_misses(
    local_site: Site, tmp_path: Path, *, proof: bool
) -> None:
    """The proof finds lacking databases (41).

    Without the proof, such images would count as backups.
    """
    program = UNLOCKED + ("" if proof else UNPROVEN) + "main()"
    storm = Storm(local_site, [sys.executable, "-c", program], seed=2)
    for attempt in range(10):
        storm.round(kills=False)
        receipt, wrong = storm.misses(tmp_path / f"copies{attempt}")
        if storm.ended["backup 41"] if proof else wrong:
            break
    print(f"{receipt} images proven, {wrong} wrong; {dict(sorted(storm.ended.items()))}")
    assert wrong == 0 if proof else wrong > 0
    assert (storm.ended["backup 41"] > 0) == proof
