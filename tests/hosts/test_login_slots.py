"""Logins wait for a slot if the environment names a directory of slots."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import signal
import threading
import time
from typing import TYPE_CHECKING, cast

import pytest

from csf_backup_plugin.cancellation import Cancellation
from csf_backup_plugin.errors import HostUnreachable, Interrupted
from csf_backup_plugin.hosts.connect import connect
from csf_backup_plugin.hosts.ssh import login_slots, streaming
from csf_backup_plugin.hosts.ssh.login_slots import SLOTS, VARIABLE, login_slot
from csf_backup_plugin.hosts.ssh.route import Route

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from csf_backup_plugin.hosts.ssh.connection import Connection

NEVER = float("inf")


@pytest.fixture
def top(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the directory that the environment names; each host has its own."""
    monkeypatch.setenv(VARIABLE, str(tmp_path / "logins"))
    monkeypatch.setattr(login_slots, "ssh_route", lambda host, *_: Route(host, host))
    return tmp_path / "logins"


def taken(top: Path) -> int:
    """Return how many slots are taken."""
    count = 0
    for path in top.glob("*/*"):
        with path.open() as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                count += 1
    return count


@contextlib.contextmanager
def all_taken(host: str) -> Iterator[contextlib.ExitStack]:
    """Take every slot of a host; yield one of them, which can be closed."""
    with contextlib.ExitStack() as stack, contextlib.ExitStack() as one:
        one.enter_context(login_slot(host, NEVER, Cancellation()))
        for _ in range(SLOTS - 1):
            stack.enter_context(login_slot(host, NEVER, Cancellation()))
        yield one


def test_a_login_has_a_slot_while_it_lasts(top: Path) -> None:
    """Other hosts have their own slots."""
    with login_slot("db1", NEVER, Cancellation()), login_slot("db2", NEVER, Cancellation()):
        assert taken(top) == 2
        assert len([*top.iterdir()]) == 2
    assert taken(top) == 0


def test_without_a_directory_nobody_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """A command that is run by itself needs none."""
    monkeypatch.delenv(VARIABLE, raising=False)
    with login_slot("db1", 0.0, Cancellation()):
        pass


def test_one_login_too_many_waits_until_another_one_is_in(
    top: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It gets the free slot."""
    looks, order = threading.Event(), list[str]()
    monkeypatch.setattr(time, "sleep", lambda _: looks.set())

    def late() -> None:
        with login_slot("db1", NEVER, Cancellation()):
            order.append("late")

    thread = threading.Thread(target=late)
    with all_taken("db1") as one:
        thread.start()
        looks.wait()
        order.append("first")
        one.close()
        thread.join()
        assert taken(top) == SLOTS - 1
    assert order == ["first", "late"]


@pytest.mark.usefixtures("top")
def test_the_wait_ends_with_a_signal_or_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """It ends like every other wait for a host."""
    signalled = Cancellation()
    with all_taken("db1"):
        with pytest.raises(TimeoutError), login_slot("db1", 0.0, Cancellation()):
            pass
        monkeypatch.setattr(time, "sleep", lambda _: signalled.cancel(signal.SIGTERM))
        with pytest.raises(Interrupted), login_slot("db1", NEVER, signalled):
            pass


def test_slots_that_cannot_be_written_hold_up_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One more login at once is better than no backup."""
    (tmp_path / "file").touch()
    monkeypatch.setenv(VARIABLE, str(tmp_path / "file"))
    with login_slot("db1", NEVER, Cancellation()):
        pass
    assert (tmp_path / "file").read_bytes() == b""


def test_a_slot_is_not_opened_through_a_link(top: Path, tmp_path: Path) -> None:
    """Another user could otherwise make us create any file."""
    with login_slot("db1", NEVER, Cancellation()):
        (slot,) = top.glob("*/0")
    slot.unlink()
    slot.symlink_to(tmp_path / "other")
    with login_slot("db1", NEVER, Cancellation()):
        assert not (tmp_path / "other").exists()


def test_a_file_system_without_locks_holds_up_nobody(
    top: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No file stays open either."""

    def refuse(*_: object) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", refuse)
    opened: list[int] = []
    monkeypatch.setattr(os, "open", recording(os.open, opened))
    with login_slot("db1", NEVER, Cancellation()):
        assert [*top.iterdir()]
    (descriptor,) = opened
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(descriptor)


def recording(call: Callable[..., int], results: list[int]) -> Callable[..., int]:
    """Return a function that records the results of another one."""

    def noted(*arguments: object) -> int:
        results.append(call(*arguments))
        return results[-1]

    return noted


SSH = """#!/bin/sh
for slot in {top}/*/0; do flock -n "$slot" true || echo held >> {note}; done
exit 255
"""


def test_a_login_takes_its_slot(top: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It releases the slot, even if the login fails."""
    (ssh := tmp_path / "ssh").write_text(SSH.format(top=top, note=tmp_path / "note"))
    ssh.chmod(0o755)
    monkeypatch.setenv("CSF_BACKUP_SSH", str(ssh))
    with pytest.raises(HostUnreachable), connect("db1", Cancellation()) as host:
        host.look(["/"])
    assert (tmp_path / "note").read_text() == "held\n"
    assert taken(top) == 0
    assert os.listdir(top)


class Beside:
    """A connection whose further logins run here, in a shell that notes which slots are held.

    Args:
        top: the directory of the slots.
        note: where that is noted.
    """

    host, mark = "db1", b"m" * 32

    def __init__(self, top: Path, note: Path) -> None:
        self.cancellation = Cancellation()
        look = SSH.format(top=top, note=note).replace("exit 255", "")
        self._script = f"{look}\necho; echo csf ready; read -r line\n"
        self._script += 'eval "$(printf %s "$line" | base64 -d)"'

    def argv(self) -> list[str]:
        return ["sh", "-c", self._script]


def test_a_login_for_the_bytes_of_a_file_takes_a_slot_too(top: Path, tmp_path: Path) -> None:
    """The sshd counts this login, too; once it has succeeded, the slot is free."""
    connection = cast("Connection", Beside(top, tmp_path / "note"))
    with streaming.opened(connection, str(tmp_path / "file"), streaming.WRITE):
        assert (tmp_path / "note").read_text() == "held\n"
        assert taken(top) == 0
