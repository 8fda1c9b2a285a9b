"""The file behind a repository's lock: opened safely, signed by its holder, cleaned up."""

from __future__ import annotations

import contextlib
import datetime
import errno
import fcntl
import os
import shutil
import socket
from typing import TYPE_CHECKING

from csf_backup_plugin.hosts.common import NO_FLOCK
from csf_backup_plugin.hosts.local import process_table
from csf_backup_plugin.hosts.local.entries import take_back
from csf_backup_plugin.hosts.local.opening import CAREFULLY, plain_file

if TYPE_CHECKING:
    from collections.abc import Sequence

_SIGNATURE = b"csf "


class LockFile:
    """An open lock file.

    Args:
        path: its name.
        descriptor: its file descriptor; a child that inherits it holds the lock too.
        created: whether the file was made for this lock.

    Attributes:
        unsupported, is_freed, is_held, is_left: see `Lock`.
        on_release: what ends with the lock.
    """

    unsupported = ""
    is_left = False
    is_held = True

    def __init__(self, path: str, descriptor: int, *, created: bool) -> None:
        self._path = path
        self.descriptor = descriptor
        self.created = created
        self.on_release = contextlib.ExitStack()
        self._is_signed = self._is_given_up = False

    @property
    def is_freed(self) -> bool:
        """Whether there is a flock(1)."""
        return shutil.which("flock") is not None

    def try_lock(self) -> bool:
        """Lock the file if that needs no waiting; return whether it is locked.

        A file that was removed or renamed meanwhile is no lock, since others cannot find it. If the
        file system has no locks, nobody else can hold one; `unsupported` says so.
        """
        try:
            fcntl.flock(self.descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except OSError as error:
            if error.errno not in NO_FLOCK:
                raise
            self.unsupported = os.strerror(error.errno)
        try:
            return os.path.samestat(os.fstat(self.descriptor), os.stat(self._path))
        except FileNotFoundError:
            return False

    def sign(self, purpose: str) -> None:
        """Write into the file who holds the lock; a file with foreign contents stays unchanged."""
        if os.pread(self.descriptor, len(_SIGNATURE), 0) not in (b"", _SIGNATURE):
            return
        since = datetime.datetime.now().astimezone().isoformat(" ", "seconds")
        text = f"{purpose} (process {os.getpid()} on {socket.gethostname()} since {since})"
        itself = " ".join((*process_table.itself(), process_table.boot()))
        with contextlib.suppress(OSError):
            os.ftruncate(self.descriptor, 0)
            os.pwrite(self.descriptor, _SIGNATURE + f"{text}\n{itself}\n".encode(), 0)
            self._is_signed = True

    def sign_for(self, record: str, argv: Sequence[str]) -> None:
        """Write into the file which utility runs under the lock; later, only that may hold it."""
        if self._is_signed:
            text = os.fsencode(f"{record}\n{' '.join(argv)}\n")
            with contextlib.suppress(OSError):
                os.pwrite(self.descriptor, text, os.fstat(self.descriptor).st_size)

    def release(self) -> None:
        """Release the lock, once, also for children that inherited it.

        Errors, such as those of a dead disk, are ignored: what was done under the lock has
        succeeded.
        """
        if self._is_given_up:
            return
        self._is_given_up = True
        if not self.is_left:
            with contextlib.suppress(OSError):
                if self._is_signed:
                    os.ftruncate(self.descriptor, 0)
            with contextlib.suppress(OSError):
                fcntl.flock(self.descriptor, fcntl.LOCK_UN)
        with contextlib.suppress(OSError):
            os.close(self.descriptor)
        self.on_release.close()

    def discard(self) -> None:
        """Release the lock; if the file was made for it and nobody holds it, remove the file."""
        self.release()
        if not self.created:
            return
        with contextlib.suppress(OSError):
            again = LockFile(self._path, _open(self._path, os.O_RDWR), created=False)
            try:
                if again.try_lock():
                    os.unlink(self._path)
            finally:
                os.close(again.descriptor)


def open_or_create(path: str) -> LockFile:
    """Open the lock file, or make it.

    Raises:
        OSError: neither can be done, or something else than a regular file is there.
    """
    while True:
        if found := open_existing(path):
            return found
        with contextlib.suppress(FileExistsError):
            descriptor = _open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL)
            with contextlib.suppress(OSError):
                os.fchmod(descriptor, 0o666)  # class_create and backups may be different users'
            return LockFile(path, descriptor, created=True)


def open_existing(path: str) -> LockFile | None:
    """Open the lock file, if there is one.

    Raises:
        OSError: it cannot be opened, or is not a regular file.
    """
    try:
        return LockFile(path, _open(path, os.O_RDWR), created=False)
    except FileNotFoundError:
        return None
    except OSError as error:
        if error.errno not in (errno.EACCES, errno.EROFS):
            raise
    # Another user's file can be locked, too; it is only not signed.
    return LockFile(path, _open(path, os.O_RDONLY), created=False)


def check_directory(path: str) -> None:
    """Raise the `OSError` that creating the lock file would raise if its directory is missing."""
    if not os.path.isdir(os.path.dirname(path)):
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path)


def _open(path: str, flags: int) -> int:
    """Open a file, but no link; a file that was created and cannot be used is removed again."""
    descriptor = os.open(path, flags | CAREFULLY, 0o666)
    try:
        return plain_file(descriptor, path)
    except OSError as error:
        if flags & os.O_CREAT:
            take_back(path, error)
        raise
