"""What csf inherits from its parent process never changes its result."""

from __future__ import annotations

import os
import stat
import sys
from typing import TYPE_CHECKING

import pytest
from ways import over_ssh

if TYPE_CHECKING:
    from pathlib import Path

    from csf_simulator.simulator import Result
    from sites import Site

# Each passes the condition in its name on to the program that replaces it.
STATES = {
    "as usual": "pass",
    "SIGCHLD ignored": "signal.signal(signal.SIGCHLD, signal.SIG_IGN)",
    "all ignored": "for s in {*signal.Signals} - {9, 19}: signal.signal(s, signal.SIG_IGN)",
    "all blocked": "signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())",
    "0 closed": "os.close(0)",
    "1 closed": "os.close(1)",
    "0 and 1 closed": "os.closerange(0, 2)",
    "all closed": "os.closerange(0, 3)",
    "umask 0777": "os.umask(0o777)",
    "umask 0": "os.umask(0)",
    "no directory": "os.mkdir('gone'); os.chdir('gone'); os.rmdir('../gone')",
    "few files": "resource.setrlimit(resource.RLIMIT_NOFILE, (24, 24))",
}
# Each other condition is a part of one of these.
OVER_SSH = ("all ignored", "all blocked", "all closed", "umask 0777", "few files")
MAIN = "from csf_simulator.csf.main import main; main()"
EXEC = "os.execv(sys.argv[1], sys.argv[1:])"


def within(site: Site, state: str, command: list[str], tmp_path: Path, **variables: str) -> Result:
    """Run csf with something inherited, directly: a shell in between would correct part of it."""
    csf = [sys.executable, "-I", "-c", MAIN, *command[1:]]
    launch = "\n".join(["import os, resource, signal, sys", STATES[state], EXEC])
    return site.sim.run([sys.executable, "-c", launch, *csf], cwd=str(tmp_path), env=variables)


@pytest.mark.parametrize("state", over_ssh(STATES, *OVER_SSH))
def test_a_backup_and_a_restore_succeed(site: Site, tmp_path: Path, state: str) -> None:
    """Everything is there afterwards, and files of ours are not writable for everybody."""
    before = site.databases()
    for command in (site.command(), site.restore_command("-yes")):
        result = within(site, state, command, tmp_path)
        assert result.exit_code == 0, result.stderr
    assert site.databases() == before
    for path in (f"{site.image}.dbn", f"{site.image}.receipt.json", f"{site.master}.manifest"):
        mode = stat.S_IMODE(os.stat(path).st_mode)
        assert (mode & stat.S_IRUSR, mode & stat.S_IWOTH) == (stat.S_IRUSR, 0)
    assert site.on_image("admin_database_verify").exit_code == 0


@pytest.mark.parametrize(
    "state",
    over_ssh(["SIGCHLD ignored", "all ignored", "all blocked", "all closed"], "all ignored"),
)
def test_a_utility_that_fails_is_a_failure(site: Site, tmp_path: Path, state: str) -> None:
    """An unfinished osbackup gives no image, and a failed osrestore is reported as failed."""
    site.sim.fault("osbackup", "exit", "3")
    assert within(site, state, site.command(), tmp_path).exit_code == 40
    assert os.listdir(site.images) == []
    assert site.backup().exit_code == 0
    real, fails = os.path.join(site.sim.home.bin, "osrestore"), tmp_path / "osrestore"
    fails.write_text(f'#!/bin/sh\n{real} "$@"\n[ "$1" = -t ] || exit 7\n')
    fails.chmod(0o755)
    (tmp_path / "scratch").mkdir()
    drill = ["csf", "admin_database_drill", "-image-file", f"{site.host}:{site.image}"]
    drill += ["-scratch-dir", str(tmp_path / "scratch")]
    for command, code in ((drill, 50), (site.restore_command("-yes"), 61)):
        result = within(site, state, command, tmp_path, CSF_BACKUP_OSRESTORE=str(fails))
        assert result.exit_code == code, result.stderr
