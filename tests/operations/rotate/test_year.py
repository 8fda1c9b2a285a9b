"""More than a year of nights with one, two or no sets, and which sets are left after each."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING

from placed_sets import DAY, YEAR, kept, moved, placed

from csf_backup_plugin.image.place import DATED
from csf_backup_plugin.operations.rotate.plan import Retention

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from csf_backup_plugin.operations.rotate.plan import PlacedSet

RETENTION = Retention(dated=4, monthly=6, yearly=2)
FIRST, LAST = datetime.date(2027, 12, 1), datetime.date(2029, 2, 1)
MISSED = [datetime.date(2028, 5, 8) + DAY * days for days in range(7)]
TWICE = [datetime.date(2028, 2, 29), datetime.date(2028, 7, 2)]  # the leap day, and a Sunday
MARKED = datetime.date(2028, 1, 16)  # a Sunday like the next two
LATE = datetime.date(2028, 8, 6)
BACK = datetime.date(2028, 6, 11)
AHEAD = datetime.date(2028, 4, 12)


def nights() -> Iterator[PlacedSet]:
    """Yield the sets in the order of their making; every tenth is drilled."""
    days = [FIRST + DAY * days for days in range((LAST - FIRST).days)]
    runs = [day for day in days for _ in range(1 + (day in TWICE)) if day not in MISSED]
    for number, day in enumerate(runs, start=1):
        one = placed(number, day, is_drilled=number % 10 == 0, keep=day == MARKED)
        if day == LATE:
            start = datetime.datetime.fromisoformat(one.started) + DAY
            one = one._replace(started=start.isoformat())
        wrong = {BACK: -YEAR, AHEAD: YEAR}
        yield moved(one, wrong[day]) if day in wrong else one


def promised(made: Sequence[PlacedSet]) -> set[PlacedSet]:
    """Return the sets that should be left, computed differently from the plan."""
    weekdays: dict[str, PlacedSet] = {}
    buckets: dict[str, dict[str, PlacedSet]] = {"%Y-%m-%d": {}, "%Y-%m": {}, "%Y": {}}
    left = {made[-1], *[one for one in made if one.is_drilled][-1:]}
    for one in made:
        if one.keep or one.slot == BACK - YEAR:
            left.add(one)
        if one.place != DATED:
            weekdays[one.place] = one
        elif one.slot != BACK - YEAR:
            for form, newest in buckets.items():
                newest.pop(one.slot.strftime(form), None)
                newest[one.slot.strftime(form)] = one
    for newest, count in zip(buckets.values(), (4, 6, 2), strict=True):
        left.update([*newest.values()][-count:])
    return left | {*weekdays.values()}


def test_after_each_night_of_a_year_exactly_the_promised_sets_are_left() -> None:
    """The year has a leap day, two runs a day, a missed week, a late run, odd clocks and a mark."""
    left: list[PlacedSet] = []
    made: list[PlacedSet] = []
    most = 0
    for one in nights():
        made.append(one)
        left = kept([*left, one], RETENTION)
        assert {*left} == promised(made)
        assert kept(left, RETENTION) == left
        most = max(most, len(left))
    assert len(made) == (LAST - FIRST).days - len(MISSED) + len(TWICE)
    # Weekdays, buckets, the marked, the one whose clock was back, and the newest that was drilled.
    assert most <= 6 + 4 + 6 + 2 + 1 + 1 + 1
