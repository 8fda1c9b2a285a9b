"""Reading a file that is sent elsewhere, and writing one that is received."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING

from csf_backup_plugin.hosts.local import entries, temporary
from csf_backup_plugin.hosts.local.opening import named

if TYPE_CHECKING:
    from collections.abc import Iterator

_CHUNK = 1 << 20  # bytes read at a time


class FileSource:
    """A file that is read; see `Source`.

    Args:
        path: the file.
        descriptor: its open descriptor.
    """

    def __init__(self, path: str, descriptor: int) -> None:
        self._path = path
        self._descriptor = descriptor

    def take(self) -> bytes:
        """Return its next bytes."""
        with named(self._path):
            return os.read(self._descriptor, _CHUNK)


class FileSink:
    """A file that is written; see `Sink`.

    Args:
        path: the file.
        descriptor: its open descriptor.
    """

    def __init__(self, path: str, descriptor: int) -> None:
        self._path = path
        self._descriptor = descriptor

    def give(self, data: memoryview) -> int:
        """Write bytes."""
        with named(self._path):
            return os.write(self._descriptor, data)

    def end(self) -> bool:
        """Flush them to the disk; see `entries.write`."""
        with named(self._path):
            entries.write(self._descriptor, b"")
        return True


@contextlib.contextmanager
def sending(path: str) -> Iterator[FileSource]:
    """Open a file for reading; see `Host.sending`."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        yield FileSource(path, descriptor)
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def receiving(path: str) -> Iterator[FileSink]:
    """Create a file that must not exist yet; see `Host.receiving`."""
    descriptor = temporary.create(path)
    try:
        yield FileSink(path, descriptor)
    finally:
        with contextlib.suppress(OSError):  # what matters was flushed to the disk before
            os.close(descriptor)
