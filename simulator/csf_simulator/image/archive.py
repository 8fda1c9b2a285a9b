"""Copy databases into an image: data, and a note for each stretch of zeros or unchanged sectors."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from csf_simulator.database.sectors import SECTOR
from csf_simulator.database.sources import Source
from csf_simulator.image.catalog import Database
from csf_simulator.image.comparison import NOTHING_BEFORE, Comparison
from csf_simulator.image.layout import DATA, PIECE, SAME, ZERO
from csf_simulator.image.stretches import Stretch, stretches_of
from csf_simulator.image.worker_pool import WorkerPool
from csf_simulator.image.writer import ImageWriter

_ZERO_PIECE = bytes(PIECE)


def archive(
    sources: Sequence[Source],
    writer: ImageWriter,
    begin: Callable[[Source], None],
    workers: int = 2,
    comparison: Comparison = NOTHING_BEFORE,
) -> None:
    """Write all databases into an image, and finish it.

    Args:
        sources: the databases.
        writer: the image.
        begin: called for each database when its first sectors are taken up.
        workers: threads to work with; 1 when the volumes have a limit.
        comparison: with an earlier backup; what is the same is left out.
    """
    for number, source in enumerate(sources):
        writer.database(Database(source.database_id, source.sectors, source.path))
        if number in comparison.bases:
            writer.base(number, comparison.bases[number])
    views = [comparison.view(source) for source in sources]
    stretches = stretches_of(views, begin)

    def work(stretch: Stretch, buffer: bytearray) -> None:
        if stretch.is_data:
            _copy(views[stretch.database], stretch, writer, buffer, comparison)
        else:
            writer.zero(stretch.database, stretch.first, stretch.sectors)

    WorkerPool(lambda _: next(stretches, None), work).run(workers)
    writer.finish()


def _copy(
    source: Source,
    stretch: Stretch,
    writer: ImageWriter,
    buffer: bytearray,
    comparison: Comparison,
) -> None:
    """Read a stretch and write its data; zeros, and what did not change, become notes."""
    view = memoryview(buffer)[: stretch.sectors * SECTOR]
    source.read(stretch.first, view)

    # To look at each piece would cost a sixth of the checksum; one of zeros begins with a zero.
    if comparison is NOTHING_BEFORE and 0 not in buffer[: len(view) : PIECE]:
        _write(writer, stretch.database, stretch.first, view)
        return

    def kind_of(start: int, end: int) -> bytes:
        if buffer.startswith(_ZERO_PIECE[: end - start], start):
            return ZERO
        first = stretch.first + start // SECTOR
        return SAME if comparison.is_same(stretch.database, first, view[start:end]) else DATA

    for start, end, kind in _runs(len(view), kind_of):
        first, sectors = stretch.first + start // SECTOR, (end - start) // SECTOR
        if kind == DATA:
            _write(writer, stretch.database, first, view[start:end])
        elif kind == SAME:
            writer.same(stretch.database, first, sectors)
        else:
            writer.zero(stretch.database, first, sectors)


def _runs(length: int, kind_of: Callable[[int, int], bytes]) -> Iterator[tuple[int, int, bytes]]:
    """Yield start, end and kind of each run of pieces alike."""
    start, kind = 0, b""
    for offset in range(0, length, PIECE):
        found = kind_of(offset, min(offset + PIECE, length))
        if offset and found != kind:
            yield start, offset, kind
            start = offset
        kind = found
    yield start, length, kind


def _write(writer: ImageWriter, database: int, first: int, data: memoryview) -> None:
    """Write data in as few records as the volumes allow."""
    while data:
        fitting = writer.fitting(len(data))
        writer.data(database, first, data[:fitting])
        first += fitting // SECTOR
        data = data[fitting:]
