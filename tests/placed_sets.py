"""Sets as made by rotations, for tests of the decisions about them."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, Any

from csf_backup_plugin.image.path import ImagePath
from csf_backup_plugin.image.place import place_of
from csf_backup_plugin.operations.rotate.plan import PlacedSet, Retention, decide

if TYPE_CHECKING:
    from collections.abc import Sequence

SUNDAY = datetime.date(2027, 11, 28)
DAY = datetime.timedelta(days=1)
YEAR = 364 * DAY  # to the same weekday
NIGHT = datetime.time(2, 10, tzinfo=datetime.timezone.utc)


def placed(number: int, slot: datetime.date, **others: Any) -> PlacedSet:
    """Return a set that was made on a day.

    Args:
        number: of the backup.
        slot: the day; it started that night unless told otherwise.
        others: what is not as usual.
    """
    start, place = datetime.datetime.combine(slot, NIGHT), place_of(slot, "sunday")
    image = ImagePath("localhost", f"/b/{place}/lib-{slot}-{number}.img")
    usual = PlacedSet(image, number, start.isoformat(), slot, place, is_drilled=False, keep=False)
    return usual._replace(**others)


def moved(one: PlacedSet, by: datetime.timedelta) -> PlacedSet:
    """Return a set whose clock was wrong by some time."""
    started = datetime.datetime.fromisoformat(one.started) + by
    return one._replace(started=started.isoformat(), slot=one.slot + by)


def weekly(count: int, first: datetime.date = SUNDAY) -> list[PlacedSet]:
    """Return the dated sets of some weeks."""
    return [placed(7 * week + 1, first + 7 * DAY * week) for week in range(count)]


def kept(sets: Sequence[PlacedSet], retention: Retention) -> list[PlacedSet]:
    """Return the sets that a rotation keeps."""
    return [one for one, goes, _ in decide(sets, retention) if not goes]
