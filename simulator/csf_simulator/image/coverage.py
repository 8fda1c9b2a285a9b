"""Check that an image has every sector exactly once, in whatever order they come."""

from __future__ import annotations

from csf_simulator.image.layout import ImageError


class Coverage:
    """The runs of sectors seen so far; neighbours are joined.

    Two runs that start or end together overlap, and are refused at once. Two that overlap otherwise
    never join, so that one run from 0 to the end remains only if every sector came exactly once.
    A record costs the same however many came before, and records in order need no memory.
    """

    def __init__(self) -> None:
        self._end: dict[int, int] = {}  # start of a run: its end
        self._start: dict[int, int] = {}  # end of a run: its start

    def add(self, start: int, count: int) -> None:
        """Add a run of sectors.

        Raises:
            ImageError: it is empty, or its first or last sector came before.
        """
        end = start + count
        if count == 0 or start in self._end or end in self._start:
            raise ImageError("the image holds a sector twice")
        start = self._start.pop(start, start)
        end = self._end.pop(end, end)
        self._end[start] = end
        self._start[end] = start

    def require(self, count: int) -> None:
        """Raise ImageError unless sectors 0 to `count` - 1 came, each exactly once."""
        if self._end != {0: count}:
            raise ImageError("the image does not hold every sector exactly once")
