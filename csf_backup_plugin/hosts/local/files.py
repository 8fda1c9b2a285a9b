"""File operations whose outcome is on the disk when they return."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from typing import TYPE_CHECKING

from csf_backup_plugin import interrupts
from csf_backup_plugin.hosts.protocol import Entry

if TYPE_CHECKING:
    from collections.abc import Callable
    from io import FileIO

    from csf_backup_plugin.hosts.protocol import Kind

_CHUNK = 1 << 20  # bytes read at a time
_TAIL = 1 << 13  # bytes looked at for a last line, more than a path can have


def kind_of(path: str) -> tuple[Kind, int]:
    """Return what stands at `path` and its size in bytes, symbolic links followed."""
    try:
        status = os.stat(path)
    except OSError:
        return ("other" if os.path.lexists(path) else "missing"), 0
    if stat.S_ISREG(status.st_mode):
        return "file", status.st_size
    return ("directory" if stat.S_ISDIR(status.st_mode) else "other"), 0


def list_directory(path: str) -> list[Entry]:
    """Return what is in a directory, in no order."""
    return [Entry(name, *kind_of(os.path.join(path, name))) for name in os.listdir(path)]


def read(path: str) -> bytes | None:
    """Return a file's contents, or None where there is no file."""
    try:
        with open(path, "rb") as file:
            return file.read()
    except FileNotFoundError:
        return None


def create(path: str, data: bytes) -> None:
    """Make a file that must not exist yet; leave none behind on failure.

    Raises:
        FileExistsError: something stands at `path`, be it a link to nothing.
    """
    with open(path, "xb") as file:
        try:
            _write(file.fileno(), data)
        except BaseException:
            os.unlink(path)
            raise
    sync(os.path.dirname(path))


def append(path: str, lines: bytes) -> None:
    """Append whole lines, in one write; a last line without its newline is cut off first.

    Raises:
        FileNotFoundError: there is no file, or not one whole line in it.
    """
    with open(path, "r+b", buffering=0) as file:
        size = file.seek(0, os.SEEK_END)
        end = _end_of_last_line(file, size)
        if not end:
            raise FileNotFoundError(errno.ENOENT, "no whole line in it", path)
        if end != size:
            file.truncate(end)
        file.seek(end)
        _write(file.fileno(), lines)


def _end_of_last_line(file: FileIO, size: int) -> int:
    """Return the byte behind the last newline, read backwards: the cost is that of the tail."""
    while size:
        start = max(0, size - _TAIL)
        file.seek(start)
        if found := file.read(size - start).rfind(b"\n") + 1:
            return start + found
        size = start
    return 0


def publish(path: str, data: bytes) -> None:
    """Let `path` appear, or be replaced, all at once, by a temporary name beside it."""
    temporary = f"{path}.{os.getpid()}.tmp"
    create(temporary, data)
    try:
        os.rename(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise
    sync(os.path.dirname(path))


def sync(path: str) -> None:
    """Bring a file's contents, or a directory's names, to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def remove(path: str) -> None:
    """Delete a file, if it is there."""
    with contextlib.suppress(FileNotFoundError):
        os.unlink(path)
        sync(os.path.dirname(path))


def digest(path: str, progress: Callable[[int], None]) -> str:
    """Return a file's SHA-256 in hexadecimal.

    Args:
        path: the file.
        progress: learns the bytes read so far, after each chunk.
    """
    import hashlib

    total, algorithm, buffer = 0, hashlib.sha256(), bytearray(_CHUNK)
    with open(path, "rb", buffering=0) as file:
        while count := file.readinto(buffer):
            algorithm.update(memoryview(buffer)[:count])
            total += count
            progress(total)
            interrupts.check()
    return algorithm.hexdigest()


def _write(descriptor: int, data: bytes) -> None:
    while data:
        data = data[os.write(descriptor, data) :]
    os.fsync(descriptor)
