"""Find the sets whose start was taken from a wrong clock."""

from __future__ import annotations

import bisect
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


def in_order(starts: Sequence[str]) -> set[int]:
    """Return the indices of a longest subsequence of the starts that never decreases.

    All other starts are out of order. If the clock was wrong for one set, only that set should be
    out of order. So if several subsequences are equally long, the last start is the earliest
    possible one: a later one shows a clock that was ahead. Each start before it is the latest
    possible one: an earlier one shows a clock that was behind.

    Args:
        starts: when the sets were begun, in the order of their numbers; in ISO 8601, all in UTC.
    """
    # Patience sorting. Pile k holds the possible last starts of subsequences of k + 1 starts. In a
    # pile, later indices have earlier starts. The tops of all piles are sorted.
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
