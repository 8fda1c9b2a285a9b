"""Appending whole lines to a file."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
from typing import TYPE_CHECKING

from csf_backup_plugin.hosts.common import CUT_SHORT, NO_FLOCK
from csf_backup_plugin.hosts.local import entries
from csf_backup_plugin.hosts.local.opening import named, open_file, opened
from csf_backup_plugin.names import shown
from csf_backup_plugin.system_errors import add_left

if TYPE_CHECKING:
    from io import FileIO

_TAIL = 1 << 13  # bytes that are searched for the last line; more than a path can have


def append(path: str, lines: bytes) -> None:
    """Append whole lines, in one write that also ends a last line without its newline.

    The file itself is locked meanwhile, to keep out those who could not lock the repository.

    Raises:
        FileNotFoundError: there is no file.
        HalfDone: a part of them may be in it.
        OSError: it cannot be written, is not a regular file, or has no whole line.
    """
    descriptor = open_file(path, os.O_RDWR | os.O_APPEND)
    with named(path), opened(descriptor) as file:
        is_locked = _lock(file)
        size = file.seek(0, os.SEEK_END)
        end = _end_of_last_line(file, size)
        if not end:
            raise OSError(errno.EINVAL, "Not one whole line in it", path)
        try:
            entries.write(descriptor, lines if end == size else CUT_SHORT + b"\n" + lines)
        except OSError as error:
            _cut_back(file, size, error, path, is_locked=is_locked)
            raise


def _lock(file: FileIO) -> bool:
    """Lock a file; return false where its file system has no locks."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX)
    except OSError as error:
        if error.errno not in NO_FLOCK:
            raise
        return False
    return True


def _cut_back(file: FileIO, size: int, error: BaseException, path: str, *, is_locked: bool) -> None:
    """Undo the append; without a lock on the file, it stays, since another's lines may follow it.

    Raises:
        HalfDone: the lines may still be there.
    """
    with contextlib.suppress(OSError):
        if is_locked:
            os.ftruncate(file.fileno(), size)
            return
    add_left(error, f"What was to be added to {shown(path)} may be in it, in part or in whole.")


def _end_of_last_line(file: FileIO, size: int) -> int:
    """Return the offset after the last newline; reading backwards, only the tail is read."""
    while size:
        start = max(0, size - _TAIL)
        file.seek(start)
        if found := file.read(size - start).rfind(b"\n") + 1:
            return start + found
        size = start
    return 0
