"""An ssh at work: what it is given and what it prints stand in memory, so no pipe can fill up."""

from __future__ import annotations

import contextlib
import os
import subprocess
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import IO

    from csf_backup_plugin.cancellation import Cancellation

LOGIN = 30.0  # seconds in which a login shell is to come to our script
HURRY = 10.0  # seconds for the same, and for a host to be there again, once we are to end
_POLL, _MOMENT = 0.02, 0.005  # seconds
ROOM = 1 << 30  # bytes that may come on a stream; a listing of three million files
_NOISE = 1 << 24  # bytes that may come before a script begins


class Client:
    """An ssh, which is ended at the end of the block if it has not ended by itself.

    Args:
        argv: the command.
        data: for its standard input.
        cancellation: what ends the waits for it.
        attended: keep its standard input open behind the data, until the end of the block or of us.
    """

    def __init__(
        self,
        argv: Sequence[str],
        data: bytes,
        cancellation: Cancellation,
        *,
        attended: bool = False,
    ) -> None:
        self._cancellation = cancellation
        with contextlib.ExitStack() as stack:
            given, self._output, self._errors = (
                stack.enter_context(open(os.memfd_create("ssh"), "w+b", buffering=0))
                for _ in range(3)
            )
            given.write(data)
            given.seek(0)
            stdin = subprocess.PIPE if attended else given
            self.process = start(argv, stdin, self._output, self._errors)
            if attended:
                stack.push(self.process)
                tell(self.process, data)
            self._files = stack.pop_all()

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait()
        self._files.close()

    @property
    def output(self) -> bytes:
        """What it has printed so far."""
        return _contents(self._output)

    @property
    def errors(self) -> bytes:
        """What it has said so far on standard error."""
        return _contents(self._errors)

    def has_room(self, room: int) -> bool:
        """Tell whether no more has come than that many bytes, on either stream."""
        return all(os.fstat(file.fileno()).st_size <= room for file in (self._output, self._errors))

    def begins(self, said: bytes, until: float, *, interruptible: bool) -> bool:
        """Wait until it has printed something.

        Args:
            said: what.
            until: the monotonic time at which it is given up.
            interruptible: whether a signal that asks us to end ends the wait.

        Returns:
            False if it has ended, took too long, or printed something else without end.

        Raises:
            TimeoutError: it had not by `until`.
        """
        began = time.monotonic()
        while said not in self.output:
            now = time.monotonic()
            late = began + (HURRY if self._cancellation.received else LOGIN)
            if now >= late or self.process.poll() is not None or not self.has_room(_NOISE):
                return False
            if now >= until:
                raise TimeoutError
            if interruptible:
                self._cancellation.check()
            time.sleep(_MOMENT)
        return True

    def wait(
        self, grace: float, until: float, heard: Callable[[bytes], None] | None, room: int
    ) -> None:
        """Wait for its end, or until there is no room for more.

        Args:
            grace: how long a signal that asks us to end leaves it, in seconds.
            until: the monotonic time at which it is given up.
            heard: told, now and then, what it has said so far on standard error.
            room: how many bytes may come on a stream.

        Raises:
            Interrupted: a signal came.
            TimeoutError: it had not ended by `until`.
        """
        asked: float | None = None
        while self.has_room(room):
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(_POLL)
                return
            now = time.monotonic()
            if heard:
                heard(self.errors)
            if self._cancellation.received:
                asked = asked or now
                if now - asked >= grace:
                    self._cancellation.check()
            if now >= until:
                raise TimeoutError


def start(
    argv: Sequence[str], stdin: int | IO[bytes], stdout: int | IO[bytes], stderr: int | IO[bytes]
) -> subprocess.Popen[bytes]:
    """Start an ssh that a terminal's Ctrl-C does not reach: our clean-up still needs it."""
    return subprocess.Popen(
        argv, bufsize=0, stdin=stdin, stdout=stdout, stderr=stderr, start_new_session=True
    )


def tell(process: subprocess.Popen[bytes], data: bytes) -> None:
    """Write to an ssh's standard input; one that is gone is noticed when it is to answer."""
    assert process.stdin is not None
    with contextlib.suppress(OSError):
        process.stdin.write(data)


def _contents(file: IO[bytes]) -> bytes:
    """Return all of a file without moving the position at which the ssh writes to it."""
    return os.pread(file.fileno(), os.fstat(file.fileno()).st_size, 0)
