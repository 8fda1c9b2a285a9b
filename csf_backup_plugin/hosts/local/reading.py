"""What is in files and directories; an error is raised, and never taken for "missing"."""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING

from csf_backup_plugin.hosts import common
from csf_backup_plugin.hosts.local.kinds import standing
from csf_backup_plugin.hosts.local.opening import named, open_file, opened
from csf_backup_plugin.hosts.protocol.values import Entry

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from io import FileIO

    from csf_backup_plugin.cancellation import Cancellation

_CHUNK = 1 << 20  # bytes read at a time


def list_directory(path: str) -> list[Entry]:
    """Return what is in a directory, in no particular order."""
    with os.scandir(path) as found:
        return [_entry(one) for one in found]


def read_directory(path: str, ending: str) -> tuple[list[Entry], dict[str, bytes | OSError | None]]:
    """Return what is in a directory, and the contents of the files with one ending."""
    entries = list_directory(path)
    names = [entry.name for entry in entries if entry.name.endswith(ending)]
    contents = read_each(os.path.join(path, name) for name in names)
    return entries, dict(zip(names, contents, strict=True))


def _entry(found: os.DirEntry[str]) -> Entry:
    kind, status = standing(found.path)
    size = status.st_size if status and kind == "file" else 0
    # This division rounds as the conversion of the decimal fraction does that comes over ssh;
    # st_mtime does not.
    modified = status.st_mtime_ns / 10**9 if status else 0.0
    return Entry(found.name, kind, size, found.is_symlink(), modified)


def read(path: str) -> bytes | None:
    """Return a file's contents, or None where there is no file.

    Raises:
        OSError: it cannot be read, is too large, or is not a regular file.
    """
    try:
        descriptor = open_file(path, os.O_RDONLY)
    except FileNotFoundError:
        return None
    with named(path), opened(descriptor) as file:
        if (size := os.fstat(descriptor).st_size) <= common.LARGEST:
            data = _read_to_end(file, size, common.LARGEST + 1)
            if len(data) <= common.LARGEST:  # it may have grown meanwhile
                return data
        raise OSError(errno.EFBIG, os.strerror(errno.EFBIG), path)


def read_each(paths: Iterable[str]) -> list[bytes | OSError | None]:
    """Return for each file, in order, its contents, or the error of reading it."""
    return [_read_or_error(path) for path in paths]


def _read_or_error(path: str) -> bytes | OSError | None:
    try:
        return read(path)
    except OSError as error:
        return error


def digest(
    path: str, progress: Callable[[int], None], cancellation: Cancellation
) -> tuple[int, str]:
    """Return a file's size in bytes, and its SHA-256 in hexadecimal.

    Args:
        path: the file.
        progress: called with the bytes read so far, after each chunk.
        cancellation: ends the reading.

    Raises:
        Interrupted: a signal came.
    """
    import hashlib

    total, algorithm, buffer = 0, hashlib.sha256(), bytearray(_CHUNK)
    with named(path), opened(os.open(path, os.O_RDONLY)) as file:
        while count := file.readinto(buffer):
            algorithm.update(memoryview(buffer)[:count])
            total += count
            progress(total)
            cancellation.check_start()
    return total, algorithm.hexdigest()


def _read_to_end(file: FileIO, size: int, most: int) -> bytes:
    """Return a file's contents; of a longer one, at least its first `most` bytes.

    The size is only a first guess: a file may grow, and files in /proc have size 0.
    """
    data, want = bytearray(), size + 1
    while len(data) < most and (more := file.read(want)):
        data += more
        want = _CHUNK
    return bytes(data)
