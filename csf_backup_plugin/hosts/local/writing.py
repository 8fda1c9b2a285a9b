"""Writing files: each operation is atomic, and is on the disk when it returns."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
from typing import TYPE_CHECKING

from csf_backup_plugin.hosts.local import access, entries
from csf_backup_plugin.hosts.local import temporary as aside
from csf_backup_plugin.hosts.local.opening import named, open_file, opened
from csf_backup_plugin.hosts.protocol import CUT_SHORT, NO_FLOCK
from csf_backup_plugin.names import shown
from csf_backup_plugin.system_errors import add_left

if TYPE_CHECKING:
    from io import FileIO

_TAIL = 1 << 13  # bytes that are searched for the last line; more than a path can have


def create(path: str, data: bytes) -> None:
    """Make a file that must not exist yet; leave none behind on failure.

    Raises:
        FileExistsError: something exists at `path`, also if it is a link without a target.
        HalfDone: it could not be written, and could not be removed either.
    """
    descriptor = aside.create(path)
    try:
        with named(path), opened(descriptor):
            aside.write(descriptor, data)
        entries.sync(os.path.dirname(path))
    except BaseException as error:
        entries.take_back(path, error)
        raise


def append(path: str, lines: bytes) -> None:
    """Append whole lines, in one write that also ends a last line without its newline.

    The file itself is locked meanwhile. This also excludes those who could not lock the repository.

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
            aside.write(descriptor, lines if end == size else CUT_SHORT + b"\n" + lines)
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


def publish(path: str, data: bytes, like: str | None = None) -> str:
    """Create a file atomically that must not exist yet; leave none behind on failure.

    Args:
        path: the file.
        data: its contents.
        like: a file; whoever may use it may use the new one, as far as we can grant that. If it
            does not exist, it is ignored.

    Returns:
        Those of them who may not use it; empty if all may.

    Raises:
        FileExistsError: something exists at `path`.
        HalfDone: the file is there, but a power cut may remove it.
    """
    with aside.temporary(path, data) as temporary:
        lost = access.take_over(temporary, like) if like else ""
        entries.give_name(temporary, path)
    try:
        entries.sync(os.path.dirname(path))
    except BaseException as error:
        entries.take_back(path, error)
        raise
    return lost


def replace(path: str, data: bytes, like: str | None = None) -> str:
    """Replace a file's contents atomically; on failure it is as it was.

    Args:
        path: the file; it need not exist.
        data: its new contents.
        like: as for `publish`, if there is no file yet; otherwise those who may use it stay the
            same.

    Returns:
        Those who may not use it any more; empty if all may.

    Raises:
        HalfDone: the file has the new contents, but a power cut may undo that.
    """
    with aside.temporary(path, data) as temporary:
        kept = path if like and os.path.lexists(path) else like
        lost = access.take_over(temporary, kept) if kept else ""
        with entries.owners_only(path):
            os.rename(temporary, path)
    entries.sync_after(path, "was replaced")
    return lost
