"""A lock on another host: lost with the connection, and not waited for after a signal."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from typing import TYPE_CHECKING

import pytest
from sshd import Sshd, reached

from csf_backup_plugin.cancellation import deferred_signals
from csf_backup_plugin.errors import HostUnreachable, Interrupted
from csf_backup_plugin.hosts.local.host import LocalHost

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.remote


def test_a_lock_whose_connection_is_cut_is_told(sshd: Sshd, tmp_path: Path) -> None:
    """A cut loses the lock, so nothing is started under it."""
    started = tmp_path / "started"
    with reached(sshd) as host:
        with (
            pytest.raises(HostUnreachable, match="was cut"),
            host.lock(str(tmp_path / "lock"), "x", 0, print) as lock,
        ):
            sshd.cut()
            with host.start(["touch", str(started)], "/no", lock, str(tmp_path / "run")):
                pass
        with host.lock(str(tmp_path / "lock"), "x", 60, print):
            pass
    assert not started.exists()


def test_who_is_told_to_end_waits_no_longer(sshd: Sshd, tmp_path: Path) -> None:
    """A signal ends the wait for a lock, and the waiting process on the host."""
    path = str(tmp_path / "lock")

    def stop(_holder: str) -> None:
        os.kill(os.getpid(), signal.SIGTERM)

    with (
        LocalHost().lock(path, "class_create", 0, print),
        deferred_signals("The test") as cancellation,
        reached(sshd, cancellation) as host,
        pytest.raises(Interrupted),
        host.lock(path, "x", 600, stop),
    ):
        pass
    while _waiters(path):
        time.sleep(0.05)


def test_who_is_told_to_end_does_not_begin_to_wait(sshd: Sshd, tmp_path: Path) -> None:
    """After a signal no lock is taken, and no process has the lock file open."""
    path = tmp_path / "lock"
    with deferred_signals("The test") as cancellation, reached(sshd, cancellation) as host:
        host.read("/no")
        os.kill(os.getpid(), signal.SIGTERM)
        with pytest.raises(Interrupted), host.lock(str(path), "x", 0, print):
            pass
    while _waiters(str(path)):
        time.sleep(0.05)


def _waiters(path: str) -> int:
    """Return how many processes have the file open."""
    opened = ["-maxdepth", "3", "-path", "/proc/[0-9]*/fd/*", "-lname", path]
    found = subprocess.run(["find", "/proc", *opened], check=False, capture_output=True, text=True)
    return len({line.split("/")[2] for line in found.stdout.splitlines()})


def test_a_lock_of_another_connection_is_refused(sshd: Sshd, tmp_path: Path) -> None:
    """A program cannot start under a lock that another connection holds."""
    with (
        reached(sshd) as one,
        reached(sshd) as other,
        one.lock(str(tmp_path / "lock"), "x", 0, print) as lock,
        pytest.raises(ValueError, match="held on another host"),
        other.start(["true"], "/no", lock, str(tmp_path / "record")),
    ):
        pass
    assert os.listdir(tmp_path) == ["lock"]
