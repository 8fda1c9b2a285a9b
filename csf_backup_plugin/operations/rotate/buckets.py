"""Calendar buckets: the days, months and years of which dated sets are kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import datetime
    from collections.abc import Sequence

# How much of a date in ISO 8601 names the bucket it is in.
_LENGTHS = {"dated": 10, "monthly": 7, "yearly": 4, "copies": 10}


def newest_of_each(slots: Sequence[datetime.date], kind: str, count: int) -> dict[int, str]:
    """Return the index of the newest set of each of the newest buckets, and why it is kept.

    Only buckets that have sets count: after a pause, no set is kept for less time. The numbers say
    which bucket is newer, never the clock.

    Args:
        slots: the dates of the sets in the order of their numbers.
        kind: "dated", "monthly", "yearly" or "copies".
        count: how many buckets.
    """
    newest: dict[str, int] = {}
    for index in range(len(slots) - 1, -1, -1):
        newest.setdefault(slots[index].isoformat()[: _LENGTHS[kind]], index)
    return {
        index: f"newest of {bucket}, {kind} {place} of {count:,}"
        for place, (bucket, index) in enumerate(list(newest.items())[:count], start=1)
    }
