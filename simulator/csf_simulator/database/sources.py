"""What osbackup and the checks need of a database: a source of sectors."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol


class Source(Protocol):
    """A database to be archived.

    Attributes:
        path: absolute path.
        database_id: 16 bytes.
        sectors: its length in sectors of 512 bytes.
    """

    path: str
    database_id: bytes
    sectors: int

    def read(self, first_sector: int, buffer: memoryview) -> None:
        """Fill a buffer with the sectors from `first_sector` on; any number of threads may."""
        ...

    def extents(self) -> Iterator[tuple[int, int]]:
        """Yield first sector and count of each stretch with data, ascending; the rest is zeros."""
        ...
