"""The one place where programs are started."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from typing import TYPE_CHECKING

from csf_backup_plugin import interrupts
from csf_backup_plugin.hosts.local.reading import kind_of
from csf_backup_plugin.hosts.protocol import UNKNOWN, Completed

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import BinaryIO

_POLL = 0.1  # seconds
_SHORTEST, _LONGEST = 0.0005, 0.05  # seconds between two looks whether a program has ended
_OUTPUT_KEPT = 1 << 28  # bytes; the list of 65,000 databases with the longest paths there are
_GRACE = 5.0  # seconds between asking a program to end and ending it


class Process:
    """A program at work, in a process group of its own.

    Args:
        popen: the program; it leads its group, so that all it starts can be ended with it.
        output: where it prints, on either stream.
        watched: the file whose growth `poll` reports.
    """

    def __init__(self, popen: subprocess.Popen[bytes], output: BinaryIO, watched: str) -> None:
        self._popen = popen
        self._output = output
        self._watched = watched

    def poll(self) -> tuple[Completed | None, int]:
        """Wait a moment; return how it ended, once it has, and the watched file's size so far."""
        interrupts.check()
        status = self._wait(_POLL)
        return (None if status is None else self._completed(status)), kind_of(self._watched)[1]

    def close(self) -> None:
        """End whatever of its group still runs, and wait until it is gone.

        A process that a dead disk keeps from dying is not waited for without end: the lock lives
        as long as it does.
        """
        if self._ended() is None:
            self._signal(signal.SIGTERM)
            self._wait(_GRACE)
        deadline = time.monotonic() + _GRACE
        while self._signal(signal.SIGKILL) and time.monotonic() < deadline:
            self._ended()
            time.sleep(0.01)

    def _wait(self, seconds: float) -> int | None:
        """Return how it ended, once it has; wait for that a while."""
        deadline, pause = time.monotonic() + seconds, _SHORTEST
        while (status := self._ended()) is None and (left := deadline - time.monotonic()) > 0:
            time.sleep(min(pause, left))
            pause = min(2 * pause, _LONGEST)
        return status

    def _ended(self) -> int | None:
        """Return how it ended, once it has.

        Where the status cannot be had, since SIGCHLD is ignored or something else in this process
        has taken it, Popen would say that the program succeeded.
        """
        if self._popen.returncode is None:
            try:
                pid, status = os.waitpid(self._popen.pid, os.WNOHANG)
            except ChildProcessError:
                self._popen.returncode = UNKNOWN
            else:
                self._popen.returncode = os.waitstatus_to_exitcode(status) if pid else None
        return self._popen.returncode

    def _signal(self, signum: int) -> bool:
        """Signal the group; return whether anybody was left in it."""
        try:
            os.killpg(self._popen.pid, signum)
        except ProcessLookupError:
            return False
        return True

    def _completed(self, status: int) -> Completed:
        size = self._output.seek(0, os.SEEK_END)
        self._output.seek(max(0, size - _OUTPUT_KEPT))
        return Completed(status, self._output.read())


@contextlib.contextmanager
def started(argv: Sequence[str], watched: str, inherited: Sequence[int]) -> Iterator[Process]:
    """Run a program while the block runs; whatever of it still runs at the end is stopped."""
    # What it prints is kept in memory: a full pipe would block it, a full disk would fail it.
    with open(os.memfd_create("output"), "w+b") as output:
        popen = subprocess.Popen(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            pass_fds=inherited,
            start_new_session=True,
        )
        process = Process(popen, output, watched)
        try:
            yield process
        finally:
            process.close()


def run(argv: Sequence[str], timeout: float) -> Completed:
    """Run a program to its end, nothing on its standard input.

    Args:
        argv: the command.
        timeout: in seconds.

    Raises:
        TimeoutError: it was still running then, and was stopped.
    """
    deadline = time.monotonic() + timeout
    with started(argv, watched=os.devnull, inherited=()) as process:
        while time.monotonic() < deadline:
            completed, _ = process.poll()
            if completed:
                return completed
    raise TimeoutError
