"""Writing files: each operation happens whole or not at all, and is on the disk when it returns."""

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

_TAIL = 1 << 13  # bytes looked at for a last line, more than a path can have


def create(path: str, data: bytes) -> None:
    """Make a file that must not exist yet; leave none behind on failure.

    Raises:
        FileExistsError: something stands at `path`, be it a link to nothing.
        HalfDone: it could not be written, nor removed.
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

    The file itself is locked meanwhile, for those who could not lock the repository.

    Raises:
        FileNotFoundError: there is no file.
        HalfDone: a part of them may be in it.
        OSError: it cannot be written, is no file, or not one line in it is whole.
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
    """Take back what was appended; without the file's lock another's lines may follow it.

    Raises:
        HalfDone: it may still be there.
    """
    with contextlib.suppress(OSError):
        if is_locked:
            os.ftruncate(file.fileno(), size)
            return
    add_left(error, f"What was to be added to {shown(path)} may stand in it, in part or whole.")


def _end_of_last_line(file: FileIO, size: int) -> int:
    """Return the byte behind the last newline, read backwards: the cost is that of the tail."""
    while size:
        start = max(0, size - _TAIL)
        file.seek(start)
        if found := file.read(size - start).rfind(b"\n") + 1:
            return start + found
        size = start
    return 0


def publish(path: str, data: bytes, like: str | None = None) -> str:
    """Let a file that must not exist yet appear all at once; leave none behind on failure.

    Args:
        path: the file.
        data: its contents.
        like: a file whose users are to be this one's, as far as we may; one that does not exist
            says nothing.

    Returns:
        Who of them may not use it; empty if all may.

    Raises:
        FileExistsError: something stands at `path`.
        HalfDone: it is there, and may not be after a power cut.
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
    """Let a file have other contents, all at once; on failure it is as it was.

    Args:
        path: the file; it need not exist.
        data: its new contents.
        like: as for `publish`, if there is no file yet; otherwise its users stay.

    Returns:
        Who of them may not use it any more; empty if all may.

    Raises:
        HalfDone: it has them, and may not after a power cut.
    """
    with aside.temporary(path, data) as temporary:
        kept = path if like and os.path.lexists(path) else like
        lost = access.take_over(temporary, kept) if kept else ""
        with entries.owners_only(path):
            os.rename(temporary, path)
    entries.sync_after(path, "was replaced")
    return lost
