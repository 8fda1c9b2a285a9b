"""A program that was started, with all that it starts: waited for, and ended."""

from __future__ import annotations

import os
import signal
import time
from typing import TYPE_CHECKING

from csf_backup_plugin.hosts.protocol import UNKNOWN

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable

_SHORTEST, _LONGEST = 0.0005, 0.05  # seconds between two looks whether the program has ended
_GRACE = 5.0  # seconds between asking a program to end and ending it


class Child:
    """A program that we have started, in a process group of its own.

    Args:
        popen: it.
    """

    def __init__(self, popen: subprocess.Popen[bytes]) -> None:
        self._popen = popen

    def ended(self) -> int | None:
        """Return how it ended, once it has.

        Where the status cannot be had, since SIGCHLD is ignored or something else in this process
        has taken it, Popen would say that the program succeeded.
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
        """End it, with its group; wait until it is gone, and not for what it has started."""
        if self.ended() is None:
            os.killpg(self._popen.pid, signal.SIGKILL)
            wait(self.ended, _GRACE)


class Group:
    """A program at work, in a process group of its own, so that all it starts can be ended with it.

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
        """Return how the program ended, once it has; wait for that a while."""
        return wait(self._ended, seconds)

    def close(self) -> bool:
        """End whatever of the group still runs, politely first; see `kill`."""
        if self._ended() is None:
            self._signal(signal.SIGTERM)
            self.wait(_GRACE)
        return self.kill()

    def kill(self) -> bool:
        """End whatever of the group still runs; return whether it is gone.

        A process that a dead disk keeps from dying is not waited for without end: the lock lives
        as long as it does.
        """
        deadline = time.monotonic() + _GRACE
        while is_left := self._signal(signal.SIGKILL):
            if time.monotonic() >= deadline:
                break
            self._ended()
            time.sleep(0.01)
        return not is_left

    def _signal(self, signum: int) -> bool:
        """Signal the group; return whether anybody was left in it."""
        try:
            os.killpg(self._number, signum)
        except ProcessLookupError:
            return False
        except PermissionError:
            pass  # another user's process is left, as sudo starts one
        return True


def wait(ended: Callable[[], int | None], seconds: float) -> int | None:
    """Return how something ended, once it has; wait for that a while."""
    deadline, pause = time.monotonic() + seconds, _SHORTEST
    while (status := ended()) is None and (left := deadline - time.monotonic()) > 0:
        time.sleep(min(pause, left))
        pause = min(2 * pause, _LONGEST)
    return status
