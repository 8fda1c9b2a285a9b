"""A backup that is killed, stopped or watched on a terminal."""

from __future__ import annotations

import os
import pty
import re
import signal
import subprocess
from typing import TYPE_CHECKING

import pytest
from process_facts import lives
from waiting import wait_for

if TYPE_CHECKING:
    from pathlib import Path

    from sites import Site

SLOW = """#!/bin/sh
head -c 5000 /dev/zero > "$5"
: > {started}
while [ ! -e {go} ]; do sleep 0.05; done
exec {real} "$@"
"""


@pytest.fixture
def slow(site: Site, tmp_path: Path) -> dict[str, str]:
    """Return an environment whose osbackup writes a little, then waits for the file `go`."""
    program = tmp_path / "slow" / "osbackup"
    program.parent.mkdir()
    real = os.path.join(site.sim.home.bin, "osbackup")
    program.write_text(SLOW.format(started=tmp_path / "started", go=tmp_path / "go", real=real))
    program.chmod(0o755)
    return {**site.sim.home.environment(os.environ), "CSF_BACKUP_OSBACKUP": str(program)}


def start(site: Site, environment: dict[str, str], tmp_path: Path) -> subprocess.Popen[str]:
    """Start a backup; return once its osbackup has begun to write."""
    command = site.command()
    process = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True)
    wait_for((tmp_path / "started").exists)
    return process


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_stopped_backup_takes_osbackup_with_it_and_leaves_nothing(
    site: Site, slow: dict[str, str], tmp_path: Path, signum: signal.Signals
) -> None:
    """The exit code is that of a shell for the signal."""
    before = site.listing()
    process = start(site, slow, tmp_path)
    process.send_signal(signum)
    _, err = process.communicate()
    assert process.returncode == 128 + signum
    assert f"was stopped by {signum.name}." in err
    assert site.listing() == before


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_before_the_work_begins_leaves_no_ssh(
    site: Site, tmp_path: Path, signum: signal.Signals
) -> None:
    """ssh is started while csf still loads: this one sends csf the signal, and hangs."""
    ssh, pid = tmp_path / "ssh", tmp_path / "pid"
    ssh.write_text(f"#!/bin/sh\necho $$ >{pid}\nkill -{signum} $PPID\nexec sleep 300\n")
    ssh.chmod(0o755)
    environment = {**site.sim.home.environment(os.environ), "CSF_BACKUP_SSH": str(ssh)}
    argv = ["csf", "admin_database_backup", "-database", site.master, "-image-file", "far:/b/image"]
    ran = subprocess.run(
        argv, env=environment, stderr=subprocess.PIPE, text=True, timeout=60, check=False
    )
    assert ran.returncode == 128 + signum
    assert f"was stopped by {signum.name}." in ran.stderr
    assert not lives(int(pid.read_text()))


def test_a_killed_backup_has_no_receipt_and_keeps_its_lock_while_osbackup_runs(
    site: Site, slow: dict[str, str], tmp_path: Path
) -> None:
    """The image is no backup, and no class can be created while osbackup runs."""
    process = start(site, slow, tmp_path)
    process.kill()
    process.communicate()
    create = ["csf", "class_create", "-database", site.master, "-class", "Book"]
    refused = site.refused_by_a_utility(create)
    assert refused.exit_code == 20
    assert f"osbackup -a -I {site.image}.dbn -f {site.image} (process " in refused.stderr
    assert "kill -- -" in refused.stderr
    assert not os.path.exists(os.path.join(site.repository, "Book.db"))
    (tmp_path / "go").touch()
    created = site.sim.run(create, env={"CSF_BACKUP_LOCK_WAIT": "60"})
    assert created.exit_code == 0, created.stderr
    assert not os.path.exists(f"{site.image}.receipt.json")
    assert site.backup().exit_code == 10


def test_class_create_waits_for_a_running_backup(
    site: Site, slow: dict[str, str], tmp_path: Path
) -> None:
    """class_create names the command it waits for, and succeeds when the backup has ended."""
    backup = start(site, slow, tmp_path)
    command = ["csf", "class_create", "-database", site.master, "-class", "Book"]
    creation = subprocess.Popen(command, env=slow, stderr=subprocess.PIPE, text=True)
    assert creation.stderr is not None
    assert "waiting up to 30 s for csf admin_database_backup" in creation.stderr.readline()
    (tmp_path / "go").touch()
    assert (backup.wait(), creation.wait()) == (0, 0)
    backup.communicate()
    creation.communicate()
    with open(f"{site.image}.dbn") as file:
        assert "Book" not in file.read()


def test_on_a_terminal_progress_is_shown(site: Site, slow: dict[str, str], tmp_path: Path) -> None:
    """A terminal shows bytes, percentage and rate before the run has ended."""
    mine, theirs = pty.openpty()
    command = site.command()
    process = subprocess.Popen(command, env={**slow, "TERM": "xterm"}, stderr=theirs)
    os.close(theirs)
    shown = b""
    while not re.search(rb"5\.0 kB of [0-9.]+ kB  [0-9.]+ (kB|bytes)/s", shown):
        shown += os.read(mine, 1000)
    (tmp_path / "go").touch()
    while b"proven" not in shown:
        shown += os.read(mine, 1000)
    assert process.wait() == 0
    os.close(mine)
    assert b"backing up" in shown
    assert b"%" in shown
