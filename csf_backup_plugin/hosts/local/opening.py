"""Opening files safely: no links are followed, and nothing is opened that would block."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import stat
from typing import TYPE_CHECKING

from csf_backup_plugin.hosts.local.kinds import is_link

if TYPE_CHECKING:
    from collections.abc import Iterator
    from io import FileIO

#: Errors of opening a link, and of opening a pipe without another end.
CAREFULLY = os.O_NOFOLLOW | os.O_NONBLOCK
_STANDARD_ERROR = 2


def open_file(path: str, flags: int, mode: int = 0o666) -> int:
    """Return a descriptor of the file at `path`.

    Args:
        path: the file.
        flags: as for `os.open`.
        mode: the permissions of a file that is created, before the umask.

    Raises:
        OSError: it cannot be opened, or is not a regular file: a link leads elsewhere, and a pipe
            would block until its other end is opened.
    """
    try:
        descriptor = os.open(path, flags | CAREFULLY, mode)
    except OSError as error:
        if error.errno == errno.ELOOP and is_link(path):
            raise OSError(errno.ELOOP, "Is a symbolic link", path) from None
        if error.errno == errno.ENXIO:  # a socket, or a device without a driver
            raise OSError(errno.EINVAL, "Not a file", path) from None
        raise
    return plain_file(descriptor, path)


def plain_file(descriptor: int, path: str) -> int:
    """Return a descriptor of the open file that is not one of the standard streams (0 to 2).

    Args:
        descriptor: the file's; it is closed if another one is returned.
        path: what was opened.

    Raises:
        OSError: it is not a regular file.
    """
    with contextlib.ExitStack() as stack:
        stack.callback(_close, descriptor)
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(errno.EINVAL, "Not a file", path)
        if descriptor <= _STANDARD_ERROR:
            return fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, _STANDARD_ERROR + 1)
        stack.pop_all()
    return descriptor


def _close(descriptor: int) -> None:
    """Close a file that was only read, or is on the disk already; errors are ignored."""
    with contextlib.suppress(OSError):
        os.close(descriptor)


@contextlib.contextmanager
def opened(descriptor: int) -> Iterator[FileIO]:
    """Use an open file while the block runs, then close it; errors of closing are ignored.

    By then all that was written is on the disk.
    """
    try:
        with open(descriptor, "rb", buffering=0, closefd=False) as file:
            yield file
    finally:
        _close(descriptor)


@contextlib.contextmanager
def named(path: str) -> Iterator[None]:
    """Make the system's errors name the file; they do not if a file is used by its descriptor."""
    try:
        yield
    except OSError as error:
        if not error.filename or isinstance(error.filename, int):
            error.filename = path
        raise
