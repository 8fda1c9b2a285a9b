"""A lock file held by flock(2): it lives exactly as long as a process that has it open.

The file's text names the holder, for the messages of those who wait. It does not matter what an
abandoned file says: where no process has it open there is no lock.
"""

from __future__ import annotations

import contextlib
import datetime
import errno
import fcntl
import os
import socket
import time
from typing import TYPE_CHECKING, NamedTuple

from csf_backup_plugin import interrupts
from csf_backup_plugin.errors import LockBusy
from csf_backup_plugin.names import shown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_POLL = 0.05  # seconds between two attempts


class FileLock(NamedTuple):
    """A lock file, open and locked.

    Attributes:
        descriptor: its file descriptor; a child that inherits it holds the lock too.
        created: whether the file was made for this lock.
    """

    descriptor: int
    created: bool


@contextlib.contextmanager
def held(
    path: str, purpose: str, wait: float, waiting: Callable[[str], None], *, create: bool
) -> Iterator[FileLock | None]:
    """Hold the lock file at `path` while the block runs; see `Host.lock`."""
    lock = _acquire(path, wait, waiting, create=create)
    if lock is None:
        yield None
        return
    try:
        if create:
            _sign(lock.descriptor, purpose)
        yield lock
    except BaseException:
        os.close(lock.descriptor)
        if lock.created:
            _remove_if_free(path)
        raise
    os.close(lock.descriptor)


def _acquire(
    path: str, wait: float, waiting: Callable[[str], None], *, create: bool
) -> FileLock | None:
    """Return the lock, or None where there is no file and none is to be made."""
    deadline = time.monotonic() + wait
    holder = None
    while True:
        interrupts.check()
        lock = _open(path, create=create)
        if lock is None or _locked(lock.descriptor, path):
            return lock
        before, holder = holder, shown(os.pread(lock.descriptor, 500, 0).decode(errors="replace"))
        os.close(lock.descriptor)
        if time.monotonic() >= deadline:
            raise LockBusy(
                f"The repository is locked: {shown(path)} is held by {holder}.",
                "Run the command again when that has ended, or let it wait longer for its turn.",
            )
        if before is None:
            waiting(f"waiting up to {wait:g} s for {holder}")
        time.sleep(_POLL)


def _open(path: str, *, create: bool) -> FileLock | None:
    if create:
        with contextlib.suppress(FileExistsError):
            return FileLock(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o666), created=True)
    try:
        return FileLock(os.open(path, os.O_RDWR), created=False)
    except FileNotFoundError:
        if create:
            return _open(path, create=create)
    _check_could_create(path)
    return None


def _check_could_create(path: str) -> None:
    directory = os.path.dirname(path)
    if not os.path.isdir(directory):
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path)
    if not os.access(directory, os.W_OK | os.X_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), path)


def _locked(descriptor: int, path: str) -> bool:
    """Try to lock; a file that lost its name meanwhile is no lock, since others cannot find it."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return os.path.samestat(os.fstat(descriptor), os.stat(path))
    except (BlockingIOError, FileNotFoundError):
        return False


def _sign(descriptor: int, purpose: str) -> None:
    since = datetime.datetime.now().astimezone().isoformat(" ", "seconds")
    text = f"csf {purpose} (process {os.getpid()} on {socket.gethostname()} since {since})"
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, text.encode(), 0)


def _remove_if_free(path: str) -> None:
    """Delete a lock file, unless a process that inherited it still holds it."""
    if lock := _open(path, create=False):
        if _locked(lock.descriptor, path):
            os.unlink(path)
        os.close(lock.descriptor)
