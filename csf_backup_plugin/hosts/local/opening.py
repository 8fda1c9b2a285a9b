"""Opening files with care: none that a link leads to, and nothing that would keep us waiting."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import stat
from typing import TYPE_CHECKING

from csf_backup_plugin.hosts.local.status import is_link

if TYPE_CHECKING:
    from collections.abc import Iterator
    from io import FileIO

#: What a link, and a pipe's other end that is not there, are refused by.
CAREFULLY = os.O_NOFOLLOW | os.O_NONBLOCK
_STANDARD_ERROR = 2


def open_file(path: str, flags: int, mode: int = 0o666) -> int:
    """Return a descriptor of the file that stands at `path`.

    Args:
        path: the file.
        flags: as for `os.open`.
        mode: what a file that is made lets its users do, but for the umask.

    Raises:
        OSError: it cannot be opened, or is no file: a link leads elsewhere, and a pipe would keep
            us waiting for its other end.
    """
    try:
        descriptor = os.open(path, flags | CAREFULLY, mode)
    except OSError as error:
        if error.errno == errno.ELOOP and is_link(path):
            raise OSError(errno.ELOOP, "Is a symbolic link", path) from None
        if error.errno == errno.ENXIO:  # a socket, or a device that nothing drives
            raise OSError(errno.EINVAL, "Not a file", path) from None
        raise
    return plain_file(descriptor, path)


def plain_file(descriptor: int, path: str) -> int:
    """Return an open file by a descriptor that is none of a child's standard streams.

    Args:
        descriptor: of what is open; it is closed if it is not the one that is returned.
        path: what was opened.

    Raises:
        OSError: it is no file.
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
    """Close what nothing was written to, or is on the disk; what is said to that is no matter."""
    with contextlib.suppress(OSError):
        os.close(descriptor)


@contextlib.contextmanager
def opened(descriptor: int) -> Iterator[FileIO]:
    """Have an open file, which is closed at the end; what is said to that is no matter.

    All that was read is there by then, and all that was written on the disk.
    """
    try:
        with open(descriptor, "rb", buffering=0, closefd=False) as file:
            yield file
    finally:
        _close(descriptor)


@contextlib.contextmanager
def named(path: str) -> Iterator[None]:
    """Let the system's errors name the file, which it leaves out for an open one."""
    try:
        yield
    except OSError as error:
        if not error.filename or isinstance(error.filename, int):
            error.filename = path
        raise
