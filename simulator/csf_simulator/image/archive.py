"""Copies databases into an image: their data, and a note for each stretch of zeros."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from csf_simulator.database import SECTOR
from csf_simulator.image.catalog import Database
from csf_simulator.image.crew import Crew
from csf_simulator.image.layout import FRAME, RUN_LIMIT
from csf_simulator.image.sources import Source
from csf_simulator.image.writer import ImageWriter

# Zeros that lie among data, in no hole of the file, are looked for in pieces of this many bytes.
PIECE = 16 * 1024
_ZERO_PIECE = bytes(PIECE)


class Stretch(NamedTuple):
    """Sectors to be archived.

    Attributes:
        database: Number of the database, from 0.
        first: Number of the first sector.
        sectors: How many; for data at most a frame.
        is_data: Whether they must be read; otherwise they are zeros.
    """

    database: int
    first: int
    sectors: int
    is_data: bool


def archive(
    sources: Sequence[Source],
    writer: ImageWriter,
    begin: Callable[[Source], None],
    workers: int = 2,
) -> None:
    """Write all databases into an image, and finish it.

    Args:
        sources: The databases.
        writer: The image.
        begin: Called for each database when its first sectors are taken up.
        workers: Threads to work with; 1 when the volumes have a limit.
    """
    for source in sources:
        writer.database(Database(source.database_id, source.sectors, source.path))
    stretches = _stretches(sources, begin)

    def work(stretch: Stretch, buffer: bytearray) -> None:
        if stretch.is_data:
            _copy(sources[stretch.database], stretch, writer, buffer)
        else:
            writer.zero(stretch.database, stretch.first, stretch.sectors)

    Crew(lambda _: next(stretches, None), work).run(workers)
    writer.finish()


def _stretches(sources: Sequence[Source], begin: Callable[[Source], None]) -> Iterator[Stretch]:
    """Yield every sector of every database, in order, in stretches one record can hold."""
    for number, source in enumerate(sources):
        begin(source)
        done = 0
        for first, count in source.extents():
            yield from _cut(number, done, first, is_data=False)
            done = first + count
            yield from _cut(number, first, done, is_data=True)
        yield from _cut(number, done, source.sectors, is_data=False)


def _cut(database: int, first: int, end: int, *, is_data: bool) -> Iterator[Stretch]:
    """Yield the sectors from `first` to before `end` in stretches one record can hold."""
    most = FRAME // SECTOR if is_data else RUN_LIMIT
    while first < end:
        sectors = min(most, end - first)
        yield Stretch(database, first, sectors, is_data)
        first += sectors


def _copy(source: Source, stretch: Stretch, writer: ImageWriter, buffer: bytearray) -> None:
    """Read a stretch and write its data; zeros among it become a note."""
    length = stretch.sectors * SECTOR
    view = memoryview(buffer)[:length]
    source.read(stretch.first, view)
    for start, end, is_data in _runs(buffer, length):
        first = stretch.first + start // SECTOR
        if is_data:
            _write(writer, stretch.database, first, view[start:end])
        else:
            writer.zero(stretch.database, first, (end - start) // SECTOR)


def _runs(buffer: bytearray, length: int) -> Iterator[tuple[int, int, bool]]:
    """Yield start, end and whether it is data, for each run of pieces alike."""
    start, was_data = 0, None
    for offset in range(0, length, PIECE):
        zeros = _ZERO_PIECE if offset + PIECE <= length else bytes(length - offset)
        is_data = not buffer.startswith(zeros, offset)
        if is_data != was_data and offset:
            yield start, offset, bool(was_data)
            start = offset
        was_data = is_data
    yield start, length, bool(was_data)


def _write(writer: ImageWriter, database: int, first: int, data: memoryview) -> None:
    """Write data in as few records as the volumes allow."""
    while data:
        fitting = writer.fitting(len(data))
        writer.data(database, first, data[:fitting])
        first += fitting // SECTOR
        data = data[fitting:]
