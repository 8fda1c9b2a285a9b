"""Files and their names: created, removed and flushed to the disk."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from typing import TYPE_CHECKING

from csf_backup_plugin.hosts.common import STICKY
from csf_backup_plugin.hosts.local.opening import named
from csf_backup_plugin.names import shown
from csf_backup_plugin.system_errors import HalfDone, add_left

if TYPE_CHECKING:
    from collections.abc import Iterator

# Errors of link(2) on file systems without hard links, such as FAT and some network ones.
_NO_HARD_LINKS = (errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS)
# Errors of network and FUSE file systems that cannot flush a directory to the disk.
_NO_SYNC = (errno.EINVAL, errno.EOPNOTSUPP, errno.ENOSYS)


def write(descriptor: int, data: bytes) -> None:
    """Write to a file, and flush it to the disk, as far as its file system reports errors.

    Some network file systems report errors only when the file is closed: so a duplicate descriptor
    is closed.
    """
    while data:
        data = data[os.write(descriptor, data) :]
    os.fsync(descriptor)
    os.close(os.dup(descriptor))


def sync(path: str) -> bool:
    """Flush a file's contents, or a directory's names, to the disk.

    Returns:
        False for a directory whose file system cannot do so.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    try:
        with named(path):
            os.fsync(descriptor)
    except OSError as error:
        if error.errno not in _NO_SYNC or not stat.S_ISDIR(os.fstat(descriptor).st_mode):
            raise
        return False
    finally:
        with contextlib.suppress(OSError):  # nothing was written through this descriptor
            os.close(descriptor)
    return True


def sync_after(path: str, what: str) -> None:
    """Flush the name of a file to the disk after it was created, renamed or removed.

    Args:
        path: the file.
        what: what was done, and cannot be undone; words that follow the path in the message.

    Raises:
        HalfDone: it did not reach the disk.
    """
    try:
        sync(os.path.dirname(path))
    except OSError as error:
        left = f"{shown(path)} {what} anyway; a power cut may undo that."
        raise HalfDone(error, left) from None


def give_name(temporary: str, path: str) -> None:
    """Give a file its final name; fail if the name exists, which a plain rename would replace."""
    try:
        os.link(temporary, path)
    except OSError as error:
        if isinstance(error, FileExistsError) and _is_one_file(temporary, path):
            return
        if error.errno not in _NO_HARD_LINKS:
            raise
        if os.path.lexists(path):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), path) from None
        with owners_only(temporary):
            os.rename(temporary, path)


def _is_one_file(one: str, other: str) -> bool:
    """Tell whether two names are of one file; a symbolic link to it counts as another file."""
    return os.path.samestat(os.lstat(one), os.lstat(other))


def move(old: str, new: str) -> None:
    """Rename a file within its file system; nothing is replaced.

    Raises:
        OSError: it has only its old name.
        HalfDone: it has its new name, which did not reach the disk, or both names.
    """
    with owners_only(old):
        if _is_owners_only(old):  # neither name could be removed afterwards
            raise PermissionError(errno.EPERM, os.strerror(errno.EPERM), old)
    give_name(old, new)
    try:
        with owners_only(old), contextlib.suppress(FileNotFoundError):  # the rename has removed it
            os.unlink(old)
    except BaseException as error:
        take_back(new, error)
        raise
    sync_after(new, f"has the place of {shown(old)}")
    sync_after(old, f"was moved to {shown(new)}")


def remove(path: str) -> None:
    """Delete a file or an empty directory, if it is there."""
    with owners_only(path), contextlib.suppress(FileNotFoundError):
        if os.path.isdir(path) and not os.path.islink(path):
            os.rmdir(path)
        else:
            os.unlink(path)
        sync_after(path, "was removed")


def make_directory(path: str) -> None:
    """Make a directory that must not exist yet; leave none behind on failure."""
    os.mkdir(path, 0o775)
    try:
        sync(os.path.dirname(path))
    except BaseException as error:
        take_back(path, error)
        raise


def take_back(path: str, error: BaseException) -> None:
    """Remove what was made just now; if that fails, say so in the error.

    Raises:
        HalfDone: it is still there.
    """
    try:
        if os.path.isdir(path):
            os.rmdir(path)
        else:
            os.unlink(path)
    except FileNotFoundError:
        pass
    except OSError:
        add_left(error, f"{shown(path)} was made, and could not be removed again.")


def _is_owners_only(path: str) -> bool:
    """Tell whether a file is in a sticky directory, and both belong to other users."""
    at = os.stat(os.path.dirname(path))
    allowed = (0, at.st_uid, os.lstat(path).st_uid)
    return bool(at.st_mode & stat.S_ISVTX) and os.geteuid() not in allowed


@contextlib.contextmanager
def owners_only(path: str) -> Iterator[None]:
    """Make errors of replacing or removing a file name it, and say if only its owner may."""
    try:
        yield
    except PermissionError as error:
        words = error.strerror
        with contextlib.suppress(OSError):
            if os.stat(os.path.dirname(path)).st_mode & stat.S_ISVTX:
                words = f"{words} {STICKY}"
        raise PermissionError(error.errno, words, path) from None
