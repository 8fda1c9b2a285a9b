"""A separate login for a script: first bytes, end, and messages; a shell replaces ssh."""

from __future__ import annotations

import contextlib
import errno
import signal
from typing import TYPE_CHECKING

import pytest
from waiting import wait_for

from csf_backup_plugin.cancellation import Cancellation
from csf_backup_plugin.errors import HostUnreachable, Interrupted
from csf_backup_plugin.hosts.ssh import channel
from csf_backup_plugin.hosts.ssh.channel import Channel

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# What a successful login does.
LET_IN = """
echo Welcome; echo 'No such file or directory' >&2
echo; echo csf ready; line=
while [ -z "$line" ]; do read -r line; done
eval "$(printf %s "$line" | base64 -d)"
"""


class Stub:
    """A connection whose further logins run here.

    Args:
        script: what stands for ssh.
    """

    mark = b"m" * 32

    def __init__(self, script: str) -> None:
        self.cancellation = Cancellation()
        self._script = script

    def argv(self) -> list[str]:
        return ["sh", "-c", self._script]

    def cut_short(self, path: str, said: bytes) -> HostUnreachable:
        return HostUnreachable(f"{path} was cut: {said.decode()}", "Look.")


@contextlib.contextmanager
def opened(login: str = LET_IN) -> Iterator[Channel]:
    """Open a channel for the file ``/file``."""
    made = Channel(Stub(login), "/file")  # type: ignore[arg-type]
    try:
        yield made
    finally:
        made.close()


def write_on(made: Channel) -> None:
    """Write until the channel fails."""
    while True:
        made.give(memoryview(b"x" * 1000))


def next_of(made: Channel) -> bytes:
    """Return the next output of the script, which may take a moment."""
    while (more := made.take()) is None:
        pass
    return more


def test_what_a_script_prints_is_read_and_what_it_is_given_arrives() -> None:
    """The login's own output is not part of it; there may be nothing for a moment."""
    with opened() as made:
        made.begin(b"exec cat")
        assert made.take() is None
        assert made.give(memoryview(b"data")) == 4
        assert next_of(made) == b"data"
        made.end()
        assert next_of(made) == b""
        wait_for(made.has_ended)


def test_there_may_be_no_room_on_the_way(tmp_path: Path) -> None:
    """There is room again when the script reads on."""
    with opened() as made:
        made.begin(f"until [ -e '{tmp_path}/go' ]; do sleep 0.02; done; exec cat".encode())
        while made.give(memoryview(b"x" * 10_000)):
            pass
        assert not made.has_ended()
        (tmp_path / "go").touch()
        wait_for(made.take)


def test_a_start_up_file_may_wait_for_a_line() -> None:
    """It gets an empty line."""
    with opened(f"read -r _; {LET_IN}") as made:
        made.begin(b"exit")
        wait_for(made.has_ended)


def test_a_login_that_fails_is_a_cut() -> None:
    """The error has ssh's words, even if ssh ends with a script's status."""
    denied = pytest.raises(HostUnreachable, match="was cut: Permission denied")
    with opened("echo 'Permission denied' >&2; exit 1") as made, denied:
        made.begin(b"exec cat")


def test_a_login_that_hangs_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """The limit is that of the first login."""
    monkeypatch.setattr(channel, "LOGIN", 0)
    with opened("sleep 60") as made, pytest.raises(HostUnreachable, match="nothing for us in 0 s"):
        made.begin(b"exec cat")


def test_an_ssh_that_cannot_be_run_leaves_nothing_open(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error of the system is reported."""
    monkeypatch.setattr(Stub, "argv", lambda _: ["/no/such/ssh"])
    with pytest.raises(FileNotFoundError), opened():
        pass


def test_a_signal_ends_the_wait_for_a_login() -> None:
    """The wait ends like any other."""
    stub = Stub("sleep 60")
    made = Channel(stub, "/file")  # type: ignore[arg-type]
    stub.cancellation.cancel(signal.SIGTERM)
    with pytest.raises(Interrupted):
        made.begin(b"exec cat")
    made.close()


def test_a_script_that_fails_tells_why() -> None:
    """The message has its last words, and the name of the file."""
    with opened() as made:
        made.begin(b"echo 'cat: write error: No space left on device' >&2; exit 1")
        with pytest.raises(OSError, match="No space") as caught:
            write_on(made)
        assert (caught.value.errno, caught.value.filename) == (errno.ENOSPC, "/file")
        with pytest.raises(OSError, match="No space"):
            made.has_ended()


@pytest.mark.parametrize("end", ["exit 255", "kill -KILL $$"])
def test_an_end_that_is_no_scripts_is_a_cut(end: str) -> None:
    """ssh has its own exit status, and ssh may be killed."""
    with opened() as made:
        made.begin(f"echo gone >&2; {end}".encode())
        with pytest.raises(HostUnreachable, match="was cut: gone"):
            wait_for(made.has_ended)


def test_a_script_that_takes_no_more_is_a_cut() -> None:
    """Its exit status is 0, but not all bytes were read."""
    with opened() as made:
        made.begin(b"exit")
        with pytest.raises(HostUnreachable, match="it takes no more"):
            write_on(made)


def test_a_script_that_takes_no_more_and_does_not_end_is_a_cut(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The wait for its end has a limit."""
    with opened() as made:
        made.begin(b"exec <&-; exec sleep 60")
        monkeypatch.setattr(channel, "LOGIN", 0)
        with pytest.raises(HostUnreachable, match="it takes no more"):
            write_on(made)
