"""The files of the ledger: opened without following links, owned by this user, locked."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import time
from typing import TYPE_CHECKING

from csf_backup_plugin.hosts.local.opening import open_file

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Seconds that a command waits until another one has written to the ledger.
WAIT = 5.0
_PAUSE = 0.005


@contextlib.contextmanager
def own_file(path: str, flags: int, mode: int = 0o600) -> Iterator[int]:
    """Open a file of this user while the block runs; no child inherits it.

    Args:
        path: the file.
        flags: as for `os.open`.
        mode: the mode of a file that is created.

    Raises:
        OSError: it cannot be opened, is not a regular file, or belongs to another user.
    """
    descriptor = open_file(path, flags, mode)
    try:
        if (owner := os.fstat(descriptor).st_uid) != os.geteuid():
            raise OSError(errno.EPERM, f"Belongs to another user (uid {owner})", path)
        yield descriptor
    finally:
        with contextlib.suppress(OSError):  # what was written has been synced
            os.close(descriptor)


@contextlib.contextmanager
def locked(path: str) -> Iterator[int | None]:
    """Hold a lock while the block runs.

    Args:
        path: the lock file; only its owner can open it, so that nobody else can hold the lock.

    Yields:
        The file's descriptor; None if its file system has no locks.

    Raises:
        OSError: the file cannot be opened, or somebody holds it for longer than `WAIT`.
    """
    with own_file(path, os.O_RDWR | os.O_CREAT) as descriptor:
        yield descriptor if _wait_for_lock(descriptor, path) else None


def _wait_for_lock(descriptor: int, path: str) -> bool:
    until = time.monotonic() + WAIT
    while (taken := take_lock(descriptor)) is False:
        if time.monotonic() > until:
            raise OSError(errno.ETIMEDOUT, f"Another process has held it for {WAIT:g} s", path)
        time.sleep(_PAUSE)
    return bool(taken)


def take_lock(descriptor: int) -> bool | None:
    """Take a lock if it is free; return whether it was, or None if the file system has no locks."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return None
    return True


def sync_directory(path: str) -> None:
    """Flush the names in a directory to the disk.

    Raises:
        OSError: that failed.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
