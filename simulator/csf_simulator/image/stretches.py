"""Cut databases into stretches of sectors that one record of an image can hold."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from csf_simulator.database.sectors import SECTOR
from csf_simulator.database.sources import Source
from csf_simulator.image.layout import FRAME, RUN_LIMIT


class Stretch(NamedTuple):
    """Sectors to be archived.

    Attributes:
        database: number of the database, from 0.
        first: number of the first sector.
        sectors: how many; for data at most a frame.
        is_data: whether they must be read; otherwise they are zeros.
    """

    database: int
    first: int
    sectors: int
    is_data: bool


def stretches_of(sources: Sequence[Source], begin: Callable[[Source], None]) -> Iterator[Stretch]:
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
