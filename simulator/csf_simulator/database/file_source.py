"""A database file as a source of sectors."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator

from csf_simulator.database.header import NotADatabase, WrongLength, read_header
from csf_simulator.database.sectors import SECTOR
from csf_simulator.system.file_errors import FileErrors
from csf_simulator.system.files import identity


class FileSource:
    """A database file, read as it is on the disk.

    It is opened anew for each read: thousands of databases need no more descriptors than one, and
    a file that vanishes or is replaced meanwhile is noticed.

    Args:
        path: absolute path.

    Attributes:
        identity: differs from that of any other file that gets the name.

    Raises:
        OSError: it cannot be read; `filename` says which.
        NotADatabase: it is not a database, or not of the length its header says.
    """

    __slots__ = ("database_id", "identity", "path", "sectors")

    def __init__(self, path: str) -> None:
        self.path = path
        fd = os.open(path, os.O_RDONLY)
        try:
            self.identity = identity(fd)
            self.database_id, self.sectors = _measure(path, fd)
        finally:
            os.close(fd)

    def read(self, first_sector: int, buffer: memoryview) -> None:
        """Fill a buffer with the sectors from `first_sector` on.

        Raises:
            OSError: the database vanished, was replaced, or ends before.
        """
        fd = self._reopen()
        try:
            with FileErrors(self.path):
                if os.preadv(fd, [buffer], first_sector * SECTOR) != len(buffer):
                    raise OSError(errno.EIO, "the database became shorter")
        finally:
            os.close(fd)

    def extents(self) -> Iterator[tuple[int, int]]:
        """Yield first sector and count of each stretch that is not a hole of the file.

        Raises:
            OSError: the database vanished, was replaced, or became shorter.
        """
        fd, size, end = self._reopen(), self.sectors * SECTOR, 0
        try:
            with FileErrors(self.path):
                while (start := _next_data(fd, end, size)) < size:
                    end = min(os.lseek(fd, start, os.SEEK_HOLE), size)
                    yield start // SECTOR, -(-end // SECTOR) - start // SECTOR
                if os.fstat(fd).st_size < size:
                    raise OSError(errno.EIO, "the database became shorter")
        finally:
            os.close(fd)

    def _reopen(self) -> int:
        """Open the file again, and check that it is still the same file."""
        fd = os.open(self.path, os.O_RDONLY)
        if identity(fd) != self.identity:
            os.close(fd)
            raise OSError(errno.ESTALE, "the database was replaced", self.path)
        return fd


def _measure(path: str, fd: int) -> tuple[bytes, int]:
    """Return id and sectors of an open database.

    Raises:
        NotADatabase: it is not a database.
        WrongLength: its length is not the one in its header.
    """
    try:
        header = read_header(fd)
    except NotADatabase as error:
        raise NotADatabase(f"{path}: {error}") from None
    size = os.fstat(fd).st_size
    if size != header.sectors * SECTOR:
        raise WrongLength(f"{path}: {size} bytes are not the {header.sectors} sectors it claims")
    return header.database_id, header.sectors


def _next_data(fd: int, offset: int, size: int) -> int:
    """Return where the first data at or after an offset begins; `size` when only a hole follows."""
    try:
        return os.lseek(fd, offset, os.SEEK_DATA)
    except OSError as error:
        if error.errno != errno.ENXIO:
            raise
        return size
