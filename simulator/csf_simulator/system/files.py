"""File operations that reach the disk before they return, where that is asked for."""

from __future__ import annotations

import fcntl
import os
import sys
from collections.abc import Mapping
from contextlib import suppress

from csf_simulator.system.file_errors import FileErrors

Identity = tuple[int, int, int]

_GET_GENERATION = 0x80087601  # FS_IOC_GETVERSION in linux/fs.h, for 64-bit machines


def identity(fd: int) -> Identity:
    """Return an identity of an open file that no other file has, whatever its names are.

    Device and inode are not enough: the inode of a removed file is soon used again, with another
    generation. The generation is 0 on a file system that has none.
    """
    status = os.fstat(fd)
    try:
        generation = fcntl.ioctl(fd, _GET_GENERATION, bytes(8))
    except OSError:
        generation = b""
    return status.st_dev, status.st_ino, int.from_bytes(generation[:4], sys.byteorder)


def write_at(fd: int, content: bytes, offset: int) -> None:
    """Write all the bytes, even if the kernel takes only part of them at a time."""
    while content:
        count = os.pwrite(fd, content, offset)
        content, offset = content[count:], offset + count


def overwrite(path: str, contents: Mapping[int, bytes], *, durable: bool) -> None:
    """Write into an existing file.

    Args:
        path: the file; it grows by what is written beyond its end.
        contents: what to write, by its offset in bytes.
        durable: flush it to the disk before returning.
    """
    fd = os.open(path, os.O_RDWR)
    try:
        with FileErrors(path):
            for offset, content in contents.items():
                write_at(fd, content, offset)
            if durable:
                os.fsync(fd)
    finally:
        os.close(fd)


def truncate(path: str, size: int = 0, *, durable: bool) -> None:
    """Give an existing file a length."""
    fd = os.open(path, os.O_RDWR)
    try:
        with FileErrors(path):
            os.ftruncate(fd, size)
            if durable:
                os.fsync(fd)
    finally:
        os.close(fd)


def remove(path: str) -> None:
    """Remove a file, if it is there."""
    with suppress(FileNotFoundError):
        os.unlink(path)


def rename(old: str, new: str, *, durable: bool) -> None:
    """Give a file another name in its directory, replacing what had that name."""
    os.rename(old, new)
    if durable:
        sync_directory(os.path.dirname(new))


def sync_directory(path: str) -> None:
    """Flush the names in a directory to the disk."""
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
