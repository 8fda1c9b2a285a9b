"""One database as a transaction sees it: the file, under what the transaction wrote."""

from __future__ import annotations

import os

from csf_simulator.database.changes import Before
from csf_simulator.database.header import NotADatabase, encode_header, read_header
from csf_simulator.database.sectors import (
    PAYLOAD,
    SECTOR,
    DamagedSectorError,
    decode_sector,
    encode_sector,
)


class Overlay:
    """Sectors read from an open database, and their new contents, which stay in memory.

    Attributes:
        header: the header as it will be once the changes are made.
        changes: by number of the sector, its new 512 bytes; the header among them if it changed.
        before: what the file holds without these changes.
    """

    def __init__(self, path: str) -> None:
        self.changes: dict[int, bytes] = {}
        self._path = path
        self._fd = os.open(path, os.O_RDONLY)
        try:
            self.header = read_header(self._fd)
        except NotADatabase as error:
            self.close()
            raise NotADatabase(f"{path}: {error}") from None
        self._sectors_in_file = self.header.sectors
        self.before = Before(os.fstat(self._fd).st_size, {})

    def close(self) -> None:
        """Close the file."""
        os.close(self._fd)

    def read(self, number: int) -> bytes:
        """Return the payload of a data sector, zeros if it was never written.

        Raises:
            DamagedSectorError: it is not what belongs there.
            IndexError: there is no such sector.
        """
        if not 0 < number < self.header.sectors:
            raise IndexError(f"{self._path} has no data sector {number}")
        try:
            payload = decode_sector(self._sector(number), self.header.database_id, number)
        except DamagedSectorError as error:
            raise DamagedSectorError(f"{self._path}: {error}") from None
        return payload or bytes(PAYLOAD)

    def write(self, number: int, payload: bytes) -> None:
        """Give a data sector new content, which may lie beyond the end of the database.

        Raises:
            IndexError: sector 0 is the header.
            ValueError: the payload is too long.
        """
        if number < 1:
            raise IndexError(f"{self._path} has no data sector {number}")
        sector = encode_sector(self.header.database_id, number, payload)
        self._count(number)
        self._change(number, sector)

    def _count(self, number: int) -> None:
        """Update the counts in the header for a sector that is about to be written."""
        sectors = max(self.header.sectors, number + 1)
        written = self.header.written + (not any(self._sector(number)))
        header = self.header._replace(sectors=sectors, written=written)
        if header != self.header:
            self.header = header
            self._change(0, encode_header(header))

    def _change(self, number: int, sector: bytes) -> None:
        """Give a sector new content, and remember the content that the file has."""
        if number not in self.changes and (old := os.pread(self._fd, SECTOR, number * SECTOR)):
            self.before.sectors[number] = old
        self.changes[number] = sector

    def _sector(self, number: int) -> bytes:
        """Return the 512 bytes of a sector with the changes so far; zeros beyond the file."""
        if number in self.changes:
            return self.changes[number]
        if number >= self._sectors_in_file:
            return bytes(SECTOR)
        return os.pread(self._fd, SECTOR, number * SECTOR)
