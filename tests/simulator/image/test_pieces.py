"""Stretches of whole pieces."""

from __future__ import annotations

from collections.abc import Iterator

from hypothesis import given
from hypothesis import strategies as st

from csf_simulator.database.sectors import SECTOR
from csf_simulator.image.layout import PIECE
from csf_simulator.image.pieces import InPieces

SECTORS = PIECE // SECTOR


class Memory:
    """A source of which only some sectors have data.

    Args:
        data: For each sector, whether it has.
    """

    path = "/memory.db"
    database_id = b"i" * 16

    def __init__(self, data: list[bool]) -> None:
        self._data = data
        self.sectors = len(data)

    def read(self, first_sector: int, buffer: memoryview) -> None:
        """Fill with the number of the sector."""
        buffer[:] = bytes([first_sector]) * len(buffer)

    def extents(self) -> Iterator[tuple[int, int]]:
        """Yield each sector with data separately, although neighbours could be joined."""
        yield from ((number, 1) for number, has_data in enumerate(self._data) if has_data)


def covered(source: InPieces) -> list[int]:
    """Return the sectors of all stretches, in order."""
    return [sector for first, count in source.extents() for sector in range(first, first + count)]


@given(
    st.integers(1, 7 * SECTORS).flatmap(
        lambda sectors: st.tuples(st.just(sectors), st.sets(st.integers(0, sectors - 1)))
    )
)
def test_stretches_are_the_pieces_with_data(shape: tuple[int, set[int]]) -> None:
    """They are whole pieces, each once and in order, to the end of the database."""
    sectors, data = shape
    pieces = {sector // SECTORS for sector in data}
    expected = [sector for sector in range(sectors) if sector // SECTORS in pieces]
    source = InPieces(Memory([sector in data for sector in range(sectors)]))
    assert covered(source) == expected


def test_neighbours_are_one_stretch() -> None:
    """Neighbours are read at once, and a gap of a piece is not read."""
    data = [False] * (9 * SECTORS)
    for sector in (SECTORS + 1, 3 * SECTORS - 1, 4 * SECTORS):
        data[sector] = True
    source = InPieces(Memory(data))
    assert list(source.extents()) == [(SECTORS, 2 * SECTORS), (4 * SECTORS, SECTORS)]


def test_everything_else_is_the_source() -> None:
    """Name, id, length and contents are those of the source."""
    source, buffer = InPieces(Memory([True] * 5)), bytearray(3)
    assert (source.path, source.database_id, source.sectors) == ("/memory.db", b"i" * 16, 5)
    source.read(4, memoryview(buffer))
    assert buffer == b"\4\4\4"
