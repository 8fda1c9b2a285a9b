"""Restores as users run them: refusals, quarantine, questions and new disks."""

from __future__ import annotations

import contextlib
import json
import os
import pty
import shutil
import signal
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from conftest import served
from scale import scaled
from waiting import wait_for

from csf_simulator.simulator import Simulator
from sites import Site

if TYPE_CHECKING:
    pass

# As in test_main_job.
ODD = ["a b", "it's", 'say "x"', "$(touch x)", "x;y", "-rf", "Größe", "&", "*"]

SLOW = """#!/bin/sh
[ "$1" = -t ] && exec {real} "$@"
: > {started}
while [ ! -e {go} ]; do sleep 0.05; done
exec {real} "$@"
"""


@pytest.fixture
def slow(site: Site, tmp_path: Path) -> dict[str, str]:
    """Return an environment whose osrestore waits for the file `go` before it restores."""
    return slow_osrestore(site, tmp_path)


def slow_osrestore(site: Site, tmp_path: Path) -> dict[str, str]:
    """Return that environment."""
    program = tmp_path / "slow" / "osrestore"
    program.parent.mkdir()
    real = os.path.join(site.sim.home.bin, "osrestore")
    program.write_text(SLOW.format(started=tmp_path / "started", go=tmp_path / "go", real=real))
    program.chmod(0o755)
    return {**site.sim.home.environment(os.environ), "CSF_BACKUP_OSRESTORE": str(program)}


def start(site: Site, environment: dict[str, str], tmp_path: Path) -> subprocess.Popen[str]:
    """Start a restore with quarantine; return once its osrestore has begun."""
    command = site.restore_command("-yes", "-quarantine")
    process = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True)
    wait_for((tmp_path / "started").exists)
    return process


def quarantines(site: Site) -> list[str]:
    """Return the quarantine directories beside the repository."""
    parent, name = os.path.split(site.repository)
    found = [each for each in os.listdir(parent) if each.startswith(f"{name}.quarantine-")]
    return [os.path.join(parent, each) for each in found]


def test_the_originals_own_scenario(site: Site) -> None:
    """A class created after the backup is reported, moved to quarantine, and not lost."""
    assert site.backup().exit_code == 0
    before = site.databases()
    newer = site.create("Newer")
    with open(newer, "rb") as file:
        content = file.read()
    untouched = site.listing()
    refused = site.restore("-yes")
    assert refused.exit_code == 60
    assert newer in refused.stderr
    assert site.listing() == untouched
    done = site.restore("-yes", "-quarantine", "-json")
    assert done.exit_code == 0, done.stderr
    assert site.databases() == before
    assert site.sim.check(site.master) == []
    quarantine = json.loads(done.stdout)["quarantine"]
    with open(os.path.join(quarantine, "Newer.db"), "rb") as file:
        assert file.read() == content
    site.image = str(site.images / "b.img")
    backup = site.backup("-json")
    assert backup.exit_code == 0, backup.stderr
    assert newer not in json.loads(backup.stdout)["databases"]
    assert not os.path.exists(f"{site.master}.restore.run")


def test_a_new_disk_is_filled(site: Site) -> None:
    """An existing empty directory is filled; a missing one is not made."""
    assert site.backup().exit_code == 0
    before = site.databases()
    shutil.rmtree(site.repository)
    missing = site.restore("-yes")
    assert missing.exit_code == 14
    assert f"mkdir -p {site.repository}" in missing.stderr
    assert not os.path.exists(site.repository)
    os.mkdir(site.repository)
    assert site.restore("-dry-run").exit_code == 0
    assert os.listdir(site.repository) == []
    done = site.restore("-yes")
    assert done.exit_code == 0, done.stderr
    assert site.databases() == before
    assert site.sim.check(site.master) == []
    assert site.create("Book") in site.databases()


def test_into_another_directory(site: Site, tmp_path: Path) -> None:
    """The restored repository is sound, and the original one is unchanged."""
    assert site.backup().exit_code == 0
    before, other = site.listing(), tmp_path / "it's another"
    other.mkdir()
    site.master = str(other / os.path.basename(site.master))
    refused = site.restore("-yes")
    assert refused.exit_code == 13, refused.stderr
    assert f"is an image of {site.repository}/" in refused.stderr
    assert "Nothing was created or changed." in refused.stderr
    done = site.restore("-yes", "-into", str(other))
    assert done.exit_code == 0, done.stderr
    assert site.sim.check(site.master) == []
    assert site.listing() == before
    site.image = str(site.images / "b.img")
    assert site.backup().exit_code == 0


def test_odd_names_survive(site: Site) -> None:
    """Unusual names of classes, repository directory, image and quarantine work."""
    odd = os.path.join(os.path.dirname(site.repository), "it's a $(touch x) 'r;é")
    os.rename(site.repository, odd)
    site.repository, site.master = odd, os.path.join(odd, os.path.basename(site.master))
    site.image = str(site.images / "-a $(touch x) 'b;é")
    assert site.backup().exit_code == 0
    before = site.databases()
    extra = [os.path.basename(site.create(name)) for name in ODD]
    done = site.restore("-yes", "-quarantine", "-json")
    assert done.exit_code == 0, done.stderr
    assert site.databases() == before
    assert sorted(os.listdir(json.loads(done.stdout)["quarantine"])) == sorted(extra)


def test_nothing_is_written_beside_the_image(site: Site) -> None:
    """An image on a read-only disk can be restored."""
    assert site.backup().exit_code == 0
    before = os.stat(site.images).st_mtime_ns
    assert site.restore("-yes").exit_code == 0
    assert os.stat(site.images).st_mtime_ns == before


def test_two_restores_at_once_are_one_after_the_other(site: Site) -> None:
    """The second one waits for the lock, and finds no more extra databases."""
    assert site.backup().exit_code == 0
    before = site.databases()
    site.create("Newer")
    environment = site.sim.home.environment(os.environ)
    command = site.restore_command("-yes", "-quarantine")
    running = [
        subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    errors = [process.communicate()[1] for process in running]
    assert [process.returncode for process in running] == [0, 0], errors
    assert site.databases() == before
    assert len(quarantines(site)) == 1


def test_a_busy_repository_is_restored_between_two_transactions(site: Site) -> None:
    """Applications that still run get errors, and damage nothing."""
    assert site.backup().exit_code == 0
    with site.sim.workload(site.master, writers=2):
        done = site.restore("-yes")
    assert done.exit_code == 0, done.stderr
    assert site.sim.check(site.master) == []


def test_a_transaction_held_open_is_not_restored_over(local_site: Site) -> None:
    """The message has osrestore's own error text, and no file has been moved."""
    site = local_site
    assert site.backup().exit_code == 0
    site.create("Newer")
    before = site.databases()
    with site.sim.home.server.transaction():
        refused = site.restore("-yes", "-quarantine")
    assert refused.exit_code == 61
    assert "err_database_lock_conflict" in refused.stderr
    assert "No database was changed.\nThe extra databases are where they were." in refused.stderr
    assert site.databases() == before
    assert quarantines(site) == []
    assert site.restore("-yes", "-quarantine").exit_code == 0


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_stopped_restore_takes_osrestore_with_it(
    site: Site, slow: dict[str, str], tmp_path: Path, signum: signal.Signals
) -> None:
    """osrestore had changed nothing, so all files are unchanged; the next restore succeeds."""
    assert site.backup().exit_code == 0
    site.create("Newer")
    before = site.listing()
    process = start(site, slow, tmp_path)
    process.send_signal(signum)
    _, err = process.communicate()
    assert process.returncode == 128 + signum
    assert f"was stopped by {signum.name}.\nNo database was changed." in err
    assert {path: fact[1] for path, fact in site.listing().items()} == {
        path: fact[1] for path, fact in before.items()
    }
    assert quarantines(site) == []
    assert site.restore("-yes", "-quarantine").exit_code == 0


def test_a_killed_restore_keeps_its_lock_while_osrestore_runs(
    site: Site, slow: dict[str, str], tmp_path: Path
) -> None:
    """No other command can start in the meantime; the same command then completes the restore."""
    assert site.backup().exit_code == 0
    saved = site.databases()
    newer = site.create("Newer")
    process = start(site, slow, tmp_path)
    process.kill()
    process.communicate()
    create = ["csf", "class_create", "-database", site.master, "-class", "Book"]
    refused = site.refused_by_a_utility(create)
    assert refused.exit_code == 20
    assert f"osrestore -f {site.image} (process " in refused.stderr
    assert "kill -- -" in refused.stderr
    (tmp_path / "go").touch()
    again = site.restore("-yes", "-quarantine", "-wait", "60")
    assert again.exit_code == 0, again.stderr
    assert site.databases() == saved
    assert site.sim.check(site.master) == []
    (quarantine,) = quarantines(site)
    assert os.listdir(quarantine) == [os.path.basename(newer)]
    assert not os.path.exists(f"{site.master}.restore.run")


@pytest.mark.remote
def test_a_cut_restore_ends_as_if_it_had_not_been_cut(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """osrestore continues on its host, and the command reports how it really ended."""
    with Simulator(str(tmp_path / "home")) as sim, served(tmp_path, sim) as server:
        monkeypatch.setenv("CSF_BACKUP_SSH", server.command)
        site = Site(sim, tmp_path, "remote")
        assert site.backup().exit_code == 0
        saved = site.databases()
        site.create("Newer")
        process = start(site, slow_osrestore(site, tmp_path), tmp_path)
        server.cut()
        (tmp_path / "go").touch()
        _, err = process.communicate()
        assert process.returncode == 0, err
        assert site.databases() == saved
        assert site.sim.check(site.master) == []
        assert not os.path.exists(f"{site.master}.restore.run")


def test_killed_at_any_moment_the_same_command_mends_it(local_site: Site) -> None:
    """No database is lost, and none is left half restored."""
    site, points = local_site, scaled(3)
    assert site.backup().exit_code == 0
    saved = site.databases()
    environment = site.sim.home.environment(os.environ)
    began = time.monotonic()
    assert site.restore("-yes").exit_code == 0
    whole = time.monotonic() - began
    for point in range(points):
        newer = site.create(f"Newer{point}")
        with open(newer, "rb") as file:
            content = file.read()
        command = site.restore_command("-yes", "-quarantine")
        process = subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(whole * (point + 1) / points)
        process.kill()
        process.wait()
        again = site.restore("-yes", "-quarantine", "-wait", "60")
        assert again.exit_code == 0, again.stderr
        assert site.databases() == saved
        assert site.sim.check(site.master) == []
        kept = [path for each in quarantines(site) for path in Path(each).glob(f"Newer{point}.db")]
        assert {path.read_bytes() for path in kept} == {content}


@pytest.mark.parametrize(
    ("answer", "code"), [("master.db\n", 0), ("yes\n", 1), ("\x04", 1), ("\x03", 130)]
)
def test_on_a_terminal_the_masters_name_is_asked_for(
    local_site: Site, answer: str, code: int
) -> None:
    """With any other answer, end of input or Ctrl-C, nothing is changed."""
    site = local_site
    assert site.backup().exit_code == 0
    site.create("Newer")
    before = site.databases()
    environment = {**site.sim.home.environment(os.environ), "TERM": "xterm"}
    mine, theirs = pty.openpty()
    command = ["setsid", "--ctty", *site.restore_command("-quarantine")]  # for Ctrl-C
    process = subprocess.Popen(command, env=environment, stdin=theirs, stderr=theirs)
    os.close(theirs)
    shown = b""
    while b"file name, master.db: " not in shown:
        shown += os.read(mine, 1000)
    os.write(mine, answer.encode())
    try:
        while True:
            shown += os.read(mine, 1000)
    except OSError:  # it has ended, with its terminal
        pass
    assert process.wait() == code
    os.close(mine)
    assert f"{site.repository}/Newer.db".encode() in shown
    assert (site.databases() == before) == bool(code)
    assert b"Nothing was created or changed." in shown or not code
