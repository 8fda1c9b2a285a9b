"""Backups of another host of whose processes one is killed or stopped, in each stage.

The program that does the work of a stage is held, so the process is struck in the middle of it.
With CSF_TEST_SCALE=20, each process of ours is struck, on the host and on csf's own machine.
"""

from __future__ import annotations

import os
import shutil
import signal
import threading
from typing import TYPE_CHECKING

import pytest
from far_site import FarSite, far_site, signalled
from proxy import NEVER
from scale import scaled
from waiting import wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from far_site import Ended

pytestmark = pytest.mark.remote

#: The stages: the program that does the work on the host, and a shell pattern of its arguments.
STAGES = {
    "claim": ("ln", "*'.img.dbn '*"),
    "start": ("setsid", "*'.img.run '*"),
    "at-work": ("osbackup", "*' -a '*"),
    "proof": ("osrestore", "*' -t '*"),
    "receipt": ("ln", "*'.receipt.json '*"),
    "card": ("mv", "*'/RESTORE.txt '*"),
}
# The first program with such arguments waits for the file "go"; later ones do not wait.
HELD = """#!/bin/sh
case " $* " in {pattern})
    if mkdir {root}/reached 2>/dev/null; then
        while [ ! -e {root}/go ]; do sleep 0.05; done
    fi
esac
exec {real} "$@"
"""
# In ordinary runs, only one process is stopped.
CASES = [
    (stage, signum, nth)
    for stage in STAGES
    for signum in (signal.SIGKILL, signal.SIGSTOP)
    for nth in range(max(1, scaled(1)))
    if signum == signal.SIGKILL or stage == "at-work" or scaled(1) > 1
]


@pytest.fixture
def far(tmp_path: Path) -> Iterator[FarSite]:
    """Return a site on another host."""
    with far_site(tmp_path) as made:
        yield made


def hold(site: FarSite, stage: str) -> None:
    """Replace the program that does the work of a stage by one that is held there."""
    program, pattern = STAGES[stage]
    path = site.root / "home" / "bin" / program
    variable = f"CSF_BACKUP_{program.upper()}"
    real = site.variables.get(variable) or shutil.which(program)
    if variable in site.variables:
        path = site.root / f"held-{program}"
        site.variables[variable] = str(path)
    path.write_text(HELD.format(pattern=pattern, root=site.root, real=real))
    path.chmod(0o755)


def processes(site: FarSite) -> list[int]:
    """Return all processes of ours, the last ones of the host first; those of csf are the last."""
    assert site.process
    there = [pid for pid in site.processes() if name_of(pid) not in ("sleep", "")]
    return [*sorted(there, reverse=True), *site.clients(), site.process.pid]


def name_of(pid: int) -> str:
    """Return the name of a process; an empty string if it has ended."""
    try:
        with open(f"/proc/{pid}/comm") as file:
            return file.read().strip()
    except OSError:
        return ""


def struck(site: FarSite, signum: signal.Signals, nth: int) -> tuple[Ended, list[int]]:
    """Back up, and signal a process in the stage; a stopped one continues once the host is heard.

    Returns:
        How the backup ended, and the process; nothing if there are not so many.
    """
    victims: list[int] = []

    def is_over() -> bool:
        return site.process is not None and site.process.poll() is not None

    def strike() -> None:
        wait_for(lambda: (site.root / "reached").exists() or is_over())
        victims.extend(processes(site)[nth : nth + 1])
        signalled(victims, signum)
        heard = site.proxy.total
        (site.root / "go").touch()
        wait_for(lambda: site.proxy.total > heard or is_over())
        signalled(victims, signal.SIGCONT)

    striking = threading.Thread(target=strike, daemon=True)
    striking.start()
    ended = site.struck(site.command(), NEVER)
    striking.join()
    assert (site.root / "reached").exists(), ended.said
    return ended, victims


@pytest.mark.parametrize(("stage", "signum", "nth"), CASES)
def test_a_backup_of_whose_processes_one_is_struck(
    far: FarSite, stage: str, signum: signal.Signals, nth: int
) -> None:
    """The backup is proven, or the message names all it has left; a stop changes nothing.

    If csf is killed, and osbackup had begun, the image can be proven.
    """
    hold(far, stage)
    ended, victims = struck(far, signum, nth)
    if not victims:
        pytest.skip("no more processes")
    if ended.status == -signal.SIGKILL:
        check_killed(far)
    else:
        far.check_backup(ended, 1)  # a program that is killed has an error like any other
        assert signum == signal.SIGKILL or ended.status == 0, ended.said
    far.check_next_backup()
    far.check_settled()


def check_killed(site: FarSite) -> None:
    """Check what a killed csf has left, once nothing runs on the host any more."""
    site.check_settled()
    assert site.starts() <= 1
    if os.path.exists(f"{site.image}.receipt.json"):
        site.check_image()
    elif os.path.exists(f"{site.image}.run"):
        proved = site.on_image("admin_database_prove")
        assert proved.exit_code == (0 if site.starts() else 41), proved.stderr
