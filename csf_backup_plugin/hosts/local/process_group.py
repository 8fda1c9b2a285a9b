"""Waiting for a program, and ending it with all that it has started."""

from __future__ import annotations

import os
import signal
import time
from typing import TYPE_CHECKING

from csf_backup_plugin.hosts.protocol.values import UNKNOWN

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable

_SHORTEST, _LONGEST = 0.0005, 0.05  # seconds between two checks whether the program has ended
_GRACE = 5.0  # seconds between asking a program to end and ending it


class Child:
    """A program that we have started, in a process group of its own.

    Args:
        popen: the program.
    """

    def __init__(self, popen: subprocess.Popen[bytes]) -> None:
        self._popen = popen

    def ended(self) -> int | None:
        """Return how it ended, once it has.

        If SIGCHLD is ignored, or something else in this process has taken the status, Popen would
        report success; then the status is unknown.
        """
        popen = self._popen
        if popen.returncode is None:
            try:
                pid, status = os.waitpid(popen.pid, os.WNOHANG)
            except ChildProcessError:
                popen.returncode = UNKNOWN
            else:
                popen.returncode = os.waitstatus_to_exitcode(status) if pid else None
        return popen.returncode

    def kill(self) -> None:
        """End it, with its group; wait until it is gone, but not for what it has started."""
        if self.ended() is None:
            os.killpg(self._popen.pid, signal.SIGKILL)
            wait(self.ended, _GRACE)


class Group:
    """A running program, in its own process group, so that all it starts can be ended with it.

    Args:
        number: of the process group; it is the program's own number.
        ended: returns how the program ended, once it has.
    """

    def __init__(self, number: int, ended: Callable[[], int | None]) -> None:
        self._number = number
        self._ended = ended

    @classmethod
    def of(cls, popen: subprocess.Popen[bytes]) -> Group:
        """Return the group of a child of ours."""
        return cls(popen.pid, Child(popen).ended)

    def wait(self, seconds: float) -> int | None:
        """Wait a while; return how the program ended, once it has."""
        return wait(self._ended, seconds)

    def close(self) -> bool:
        """End what still runs of the group, first with SIGTERM; see `kill`."""
        if self._ended() is None:
            self._signal(signal.SIGTERM)
            self.wait(_GRACE)
        return self.kill()

    def kill(self) -> bool:
        """End what still runs of the group with SIGKILL; return whether all of it is gone.

        The wait for a process that hangs on a dead disk is limited: the lock lives as long as that
        process.
        """
        deadline = time.monotonic() + _GRACE
        while is_left := self._signal(signal.SIGKILL):
            if time.monotonic() >= deadline:
                break
            self._ended()
            time.sleep(0.01)
        return not is_left

    def _signal(self, signum: int) -> bool:
        """Signal the group; return whether a process was left in it."""
        try:
            os.killpg(self._number, signum)
        except ProcessLookupError:
            return False
        except PermissionError:
            pass  # a process of another user is left, such as one that sudo started
        return True


def wait(ended: Callable[[], int | None], seconds: float) -> int | None:
    """Wait a while; return how something ended, once it has."""
    deadline, pause = time.monotonic() + seconds, _SHORTEST
    while (status := ended()) is None and (left := deadline - time.monotonic()) > 0:
        time.sleep(min(pause, left))
        pause = min(2 * pause, _LONGEST)
    return status
