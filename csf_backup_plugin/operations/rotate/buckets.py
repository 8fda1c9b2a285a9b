"""Calendar buckets: the days, months and years from which dated sets are kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import datetime
    from collections.abc import Sequence

# How many characters of a date in ISO 8601 name its bucket.
_LENGTHS = {"dated": 10, "monthly": 7, "yearly": 4, "copies": 10}


def newest_of_each(slots: Sequence[datetime.date], kind: str, count: int) -> dict[int, str]:
    """Return the index of the newest set in each of the newest buckets, and why it is kept.

    Empty buckets do not count, so a pause in the rotations removes no set. Buckets are ordered by
    the numbers of their sets, never by the clock.

    Args:
        slots: the dates of the sets in the order of their numbers.
        kind: "dated", "monthly", "yearly" or "copies".
        count: how many buckets to keep.
    """
    newest: dict[str, int] = {}
    for index in range(len(slots) - 1, -1, -1):
        newest.setdefault(slots[index].isoformat()[: _LENGTHS[kind]], index)
    return {
        index: f"newest of {bucket}, {kind} {place} of {count:,}"
        for place, (bucket, index) in enumerate(list(newest.items())[:count], start=1)
    }
