"""A program that was started, with all that it starts: waited for, and ended."""

from __future__ import annotations

import os
import signal
import time
from typing import TYPE_CHECKING

from csf_backup_plugin.hosts.protocol import UNKNOWN

if TYPE_CHECKING:
    import subprocess

_SHORTEST, _LONGEST = 0.0005, 0.05  # seconds between two looks whether the program has ended
_GRACE = 5.0  # seconds between asking a program to end and ending it


class Group:
    """A program at work, in a process group of its own.

    Args:
        popen: the program; it leads its group, so that all it starts can be ended with it.
    """

    def __init__(self, popen: subprocess.Popen[bytes]) -> None:
        self._popen = popen

    def wait(self, seconds: float) -> int | None:
        """Return how the program ended, once it has; wait for that a while."""
        deadline, pause = time.monotonic() + seconds, _SHORTEST
        while (status := self._ended()) is None and (left := deadline - time.monotonic()) > 0:
            time.sleep(min(pause, left))
            pause = min(2 * pause, _LONGEST)
        return status

    def close(self) -> None:
        """End whatever of the group still runs, politely first, and wait until it is gone."""
        if self._ended() is None:
            self._signal(signal.SIGTERM)
            self.wait(_GRACE)
        self.kill()

    def kill(self) -> None:
        """End whatever of the group still runs, and wait until it is gone.

        A process that a dead disk keeps from dying is not waited for without end: the lock lives
        as long as it does.
        """
        deadline = time.monotonic() + _GRACE
        while self._signal(signal.SIGKILL) and time.monotonic() < deadline:
            self._ended()
            time.sleep(0.01)

    def _ended(self) -> int | None:
        """Return how the program ended, once it has.

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
