"""Paths of a host in memory, with the part of `pathlib.Path` that tests of every host need."""

from __future__ import annotations

import os
import posixpath
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from doubles import MemoryHost

#: Names that a shell, or a codec, may take for something else.
ODD = [
    "a b",
    "it's",
    '"quoted"',
    "$(id)",
    ";ls",
    "-rf",
    "Größe",
    "\udcff\udcfe",
    "back\\slash",
    "*",
]


class MemoryPath:
    """A path on a host in memory.

    Args:
        host: the host.
        path: the path there.
    """

    def __init__(self, host: MemoryHost, path: str) -> None:
        self.host = host
        self._path = path

    def __str__(self) -> str:
        return self._path

    def __truediv__(self, name: str) -> MemoryPath:
        return MemoryPath(self.host, posixpath.join(self._path, name))

    def write_bytes(self, data: bytes) -> None:
        self.host.files[self._path] = data

    def read_bytes(self) -> bytes:
        return self.host.files[self._path]

    def touch(self) -> None:
        self.host.files.setdefault(self._path, b"")

    def mkdir(self, *, parents: bool = False) -> None:
        if parents and (above := posixpath.dirname(self._path)) not in self.host.directories:
            MemoryPath(self.host, above).mkdir(parents=True)
        self.host.directories.add(self._path)

    def symlink_to(self, path: object) -> None:
        self.host.links[self._path] = str(path)

    def unlink(self) -> None:
        del self.host.files[self._path]

    def exists(self) -> bool:
        return self.host.stat([self._path])[0].inode > 0

    def iterdir(self) -> list[MemoryPath]:
        return [self / entry.name for entry in self.host.list_directory(self._path)]

    @property
    def name(self) -> str:
        """Its name in its directory."""
        return posixpath.basename(self._path)


#: A path of a real host, or of one in memory.
Home = Path | MemoryPath


def names(directory: Home) -> set[str]:
    """Return what is in a directory."""
    return {path.name for path in directory.iterdir()}


def make_pipe(path: Home) -> None:
    """Make a pipe."""
    if isinstance(path, MemoryPath):
        path.host.pipes.add(str(path))
    else:
        os.mkfifo(path)


def change_time(path: Home, time: int) -> None:
    """Set the timestamp of the file at a path, in nanoseconds."""
    if isinstance(path, MemoryPath):
        path.host.modified[str(path)] = time / 10**9
    else:
        os.utime(path, ns=(0, time))
