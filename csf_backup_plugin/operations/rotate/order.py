"""Which sets have a start that fits those of their neighbours, and which a clock that was wrong."""

from __future__ import annotations

import bisect
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


def in_order(starts: Sequence[str]) -> set[int]:
    """Return the indices of a longest part of the starts in which none is before its predecessor.

    All others are out of order. Often two parts are equally long. A clock that was ahead for one
    set, or back, is to make only that set out of order: of two possible last ones, the earlier
    start is taken, since the other one's clock was ahead; of two possible ones before a third, the
    later start, since the other one's clock was back.

    Args:
        starts: of the sets in the order of their numbers; in ISO 8601, all in UTC.
    """
    # Patience sorting. Pile k has the last ones of all parts of k + 1 starts: later indices have
    # earlier starts. The last of each pile, together, are sorted.
    tops: list[str] = []
    piles: list[list[int]] = []
    for index, start in enumerate(starts):
        pile = bisect.bisect_right(tops, start)
        tops[pile : pile + 1] = [start]
        if pile == len(piles):
            piles.append([])
        piles[pile].append(index)
    chosen: list[int] = []
    for candidates in reversed(piles):
        if chosen:
            before = starts[chosen[-1]]
            chosen.append(next(index for index in candidates if starts[index] <= before))
        else:
            chosen.append(candidates[-1])
    return {*chosen}
