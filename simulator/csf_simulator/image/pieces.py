"""Align the stretches of a database with its pieces."""

from __future__ import annotations

from collections.abc import Iterator

from csf_simulator.database.sectors import SECTOR
from csf_simulator.database.sources import Source
from csf_simulator.image.layout import PIECE

_SECTORS = PIECE // SECTOR


class InPieces:
    """A source whose stretches of data consist of whole pieces, however its holes lie.

    So a piece has the same sectors in every backup, and is always read as a whole.

    Args:
        source: where everything comes from.
    """

    __slots__ = ("_source", "database_id", "path", "sectors")

    def __init__(self, source: Source) -> None:
        self._source = source
        self.path = source.path
        self.database_id = source.database_id
        self.sectors = source.sectors

    def read(self, first_sector: int, buffer: memoryview) -> None:
        """Fill a buffer with the sectors from `first_sector` on."""
        self._source.read(first_sector, buffer)

    def extents(self) -> Iterator[tuple[int, int]]:
        """Yield first sector and count of each stretch of pieces with data in them, ascending."""
        start = end = 0
        for first, count in self._source.extents():
            if first // _SECTORS * _SECTORS > end:
                yield from self._stretch(start, end)
                start = first // _SECTORS * _SECTORS
            end = -(-(first + count) // _SECTORS) * _SECTORS
        yield from self._stretch(start, end)

    def _stretch(self, start: int, end: int) -> Iterator[tuple[int, int]]:
        """Yield a stretch, unless it is empty; the last piece ends with the database."""
        if start < end:
            yield start, min(end, self.sectors) - start
