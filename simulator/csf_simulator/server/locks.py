"""Locks between processes, which the kernel releases when their owner ends."""

from __future__ import annotations

import fcntl
import time

_PAUSE = 0.002  # seconds between two attempts, about as long as a few transactions take


def acquire(fd: int, wait: float | None = None) -> None:
    """Lock an open file against all other processes that open and lock it.

    Args:
        fd: the file; closing it ends the lock.
        wait: seconds to wait at most; without a limit, as long as it takes.

    Raises:
        BlockingIOError: another process held the lock all the time.
    """
    if wait is None:
        fcntl.flock(fd, fcntl.LOCK_EX)
        return
    end = time.monotonic() + wait
    while is_held(fd, fcntl.LOCK_EX):
        if time.monotonic() >= end:
            raise BlockingIOError(f"the lock is held by another process for {wait} seconds")
        time.sleep(_PAUSE)


def is_held(fd: int, how: int = fcntl.LOCK_SH) -> bool:
    """Tell whether another process holds the lock; if none does, take it.

    Args:
        fd: the file.
        how: to share the lock or, with `fcntl.LOCK_EX`, to have it alone.
    """
    try:
        fcntl.flock(fd, how | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    return False
