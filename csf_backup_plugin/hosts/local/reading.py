"""What is in files and directories; an error is told and never taken for an absence."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from typing import TYPE_CHECKING

from csf_backup_plugin import interrupts
from csf_backup_plugin.hosts.protocol import Entry

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from csf_backup_plugin.hosts.protocol import Kind

_CHUNK = 1 << 20  # bytes read at a time


def kind_of(path: str) -> tuple[Kind, int]:
    """Return what stands at `path` and its size in bytes, symbolic links followed.

    Raises:
        OSError: it cannot be told; what cannot be told is not taken for missing.
    """
    try:
        status = os.stat(path)
    except (FileNotFoundError, NotADirectoryError):
        return ("other" if _is_link(path) else "missing"), 0
    except OSError as error:
        if error.errno == errno.ELOOP:
            return "other", 0
        raise
    if stat.S_ISREG(status.st_mode):
        return "file", status.st_size
    return ("directory" if stat.S_ISDIR(status.st_mode) else "other"), 0


def _is_link(path: str) -> bool:
    try:
        return stat.S_ISLNK(os.lstat(path).st_mode)
    except (FileNotFoundError, NotADirectoryError):
        return False


def list_directory(path: str) -> list[Entry]:
    """Return what is in a directory, in no order."""
    return [Entry(name, *kind_of(os.path.join(path, name))) for name in os.listdir(path)]


def read(path: str) -> bytes | None:
    """Return a file's contents, or None where there is no file.

    Raises:
        OSError: it cannot be read, or is no file: a pipe would keep us waiting for a writer.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    except FileNotFoundError:
        return None
    with named(path), open(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(errno.EINVAL, "Not a file", path)
        return file.read()


def digest(path: str, progress: Callable[[int], None]) -> tuple[int, str]:
    """Return a file's bytes and SHA-256 in hexadecimal.

    Args:
        path: the file.
        progress: learns the bytes read so far, after each chunk.
    """
    import hashlib

    total, algorithm, buffer = 0, hashlib.sha256(), bytearray(_CHUNK)
    with named(path), open(path, "rb", buffering=0) as file:
        while count := file.readinto(buffer):
            algorithm.update(memoryview(buffer)[:count])
            total += count
            progress(total)
            interrupts.check()
    return total, algorithm.hexdigest()


@contextlib.contextmanager
def named(path: str) -> Iterator[None]:
    """Let the system's errors name the file, which it leaves out for an open one."""
    try:
        yield
    except OSError as error:
        error.filename = error.filename or path
        raise
