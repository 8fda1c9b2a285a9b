"""Writing files: each operation happens whole or not at all, and is on the disk when it returns."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
from typing import TYPE_CHECKING

from csf_backup_plugin.hosts.local.reading import named, open_file
from csf_backup_plugin.hosts.protocol import CUT_SHORT, NO_FLOCK

if TYPE_CHECKING:
    from collections.abc import Iterator
    from io import FileIO

# What file systems without hard links, such as FAT and some network ones, say to link(2).
_NO_HARD_LINKS = (errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS)
_TAIL = 1 << 13  # bytes looked at for a last line, more than a path can have


def create(path: str, data: bytes) -> None:
    """Make a file that must not exist yet; leave none behind on failure.

    Raises:
        FileExistsError: something stands at `path`, be it a link to nothing.
    """
    with named(path), open(path, "xb", opener=_not_for_all) as file, _removed_on_failure(path):
        _write(file.fileno(), data)
        sync(os.path.dirname(path))


def _not_for_all(path: str, flags: int) -> int:
    """Open a file that not everybody may write to, although a daemon's umask is often 0."""
    return os.open(path, flags, 0o664)


def append(path: str, lines: bytes) -> None:
    """Append whole lines, in one write that also ends a last line without its newline.

    The file itself is locked meanwhile, for those who could not lock the repository.

    Raises:
        FileNotFoundError: there is no file.
        OSError: it cannot be written, is no file, or not one line in it is whole.
    """
    descriptor = open_file(path, os.O_RDWR | os.O_APPEND)
    with named(path), open(descriptor, "r+b", buffering=0) as file:
        _lock(file)
        size = file.seek(0, os.SEEK_END)
        end = _end_of_last_line(file, size)
        if not end:
            raise OSError(errno.EINVAL, "Not one whole line in it", path)
        _write(descriptor, lines if end == size else CUT_SHORT + b"\n" + lines)


def _lock(file: FileIO) -> None:
    """Lock a file, where its file system has locks."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX)
    except OSError as error:
        if error.errno not in NO_FLOCK:
            raise


def _end_of_last_line(file: FileIO, size: int) -> int:
    """Return the byte behind the last newline, read backwards: the cost is that of the tail."""
    while size:
        start = max(0, size - _TAIL)
        file.seek(start)
        if found := file.read(size - start).rfind(b"\n") + 1:
            return start + found
        size = start
    return 0


def publish(path: str, data: bytes, like: str | None = None) -> None:
    """Let a file that must not exist yet appear all at once; leave none behind on failure.

    Args:
        path: the file.
        data: its contents.
        like: a file whose permissions, and as far as we may whose owner, it is to have; one that
            does not exist says nothing.

    Raises:
        FileExistsError: something stands at `path`.
    """
    with _temporary(path, data, like) as temporary:
        _rename_to_new(temporary, path)
    with _removed_on_failure(path):
        sync(os.path.dirname(path))


def replace(path: str, data: bytes, like: str | None = None) -> None:
    """Let a file have other contents, all at once; on failure it is as it was.

    Args:
        path: the file; it need not exist.
        data: its new contents.
        like: as for `publish`.
    """
    with _temporary(path, data, like) as temporary:
        os.rename(temporary, path)
    sync(os.path.dirname(path))


@contextlib.contextmanager
def _temporary(path: str, data: bytes, like: str | None) -> Iterator[str]:
    """Make a file in the directory of `path`; what the block leaves of it is removed."""
    temporary = os.path.join(os.path.dirname(path), f".csf-{os.urandom(8).hex()}.tmp")
    create(temporary, data)
    try:
        if like is not None:
            _adopt(temporary, like)
        yield temporary
    finally:
        with contextlib.suppress(OSError):
            os.unlink(temporary)


def _adopt(path: str, like: str) -> None:
    with contextlib.suppress(FileNotFoundError):
        status = os.stat(like)
        with contextlib.suppress(OSError):  # EPERM; in a user namespace, EINVAL
            os.chown(path, status.st_uid, status.st_gid)
        os.chmod(path, status.st_mode & 0o666)


def _rename_to_new(temporary: str, path: str) -> None:
    """Give a file its name, which a plain rename would take from another file."""
    try:
        os.link(temporary, path)
    except OSError as error:
        if error.errno not in _NO_HARD_LINKS:
            raise
        if os.path.lexists(path):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), path) from None
        os.rename(temporary, path)


def sync(path: str) -> None:
    """Bring a file's contents, or a directory's names, to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        with named(path):
            os.fsync(descriptor)
    finally:
        os.close(descriptor)


def remove(path: str) -> None:
    """Delete a file or an empty directory, if it is there."""
    with contextlib.suppress(FileNotFoundError):
        if os.path.isdir(path) and not os.path.islink(path):
            os.rmdir(path)
        else:
            os.unlink(path)
        sync(os.path.dirname(path))


def make_directory(path: str) -> None:
    """Make a directory that must not exist yet."""
    os.mkdir(path, 0o775)
    sync(os.path.dirname(path))


def move(old: str, new: str) -> None:
    """Give a file another name in the same file system, replacing nothing."""
    _rename_to_new(old, new)
    with contextlib.suppress(FileNotFoundError):  # a rename has taken it already
        os.unlink(old)
    sync(os.path.dirname(new))
    sync(os.path.dirname(old))


def _write(descriptor: int, data: bytes) -> None:
    while data:
        data = data[os.write(descriptor, data) :]
    os.fsync(descriptor)


@contextlib.contextmanager
def _removed_on_failure(path: str) -> Iterator[None]:
    """Remove what we have just made; that it cannot be removed is not the error to tell."""
    try:
        yield
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(path)
        raise
