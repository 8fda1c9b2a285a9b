"""Which sets a rotation removes: a pure function of their receipts and of the options.

No clock is read. The set with the higher number is the newer one.
"""

from __future__ import annotations

import collections
import datetime
from typing import TYPE_CHECKING, NamedTuple

from csf_backup_plugin.image.place import DATED, PLACES
from csf_backup_plugin.operations.rotate.buckets import newest_of_each
from csf_backup_plugin.operations.rotate.order import in_order
from csf_backup_plugin.weekdays import WEEKDAYS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from csf_backup_plugin.image.path import ImagePath

#: The dated sets that one run may remove without -yes.
FUSE = 2

_FAR = datetime.timedelta(days=7)  # a run may be late, but hardly by more than that


class PlacedSet(NamedTuple):
    """A proven set that a rotation made.

    Attributes:
        image: its image.
        number: the number of the backup, within the repository.
        started: when the backup began, in ISO 8601 and UTC.
        slot: the date for which it was made.
        place: one of `PLACES`.
        is_drilled: whether its last drill was good.
        keep: whether PATH.keep exists.
    """

    image: ImagePath
    number: int
    started: str
    slot: datetime.date
    place: str
    is_drilled: bool
    keep: bool


class Retention(NamedTuple):
    """How many calendar buckets of dated sets to keep; without any option, all sets are kept.

    Attributes:
        dated: how many days.
        monthly: how many months.
        yearly: how many years.
        copies: how many days of copies; copies count as dated sets.
    """

    dated: int | None = None
    monthly: int | None = None
    yearly: int | None = None
    copies: int | None = None

    @property
    def given(self) -> dict[str, int]:
        """The options that were given."""
        return {kind: count for kind, count in self._asdict().items() if count is not None}


ALL = Retention()


class Decision(NamedTuple):
    """Whether a set is kept.

    Attributes:
        one: the set.
        goes: whether it is to be deleted.
        why: the reason, in words that follow "kept: " or "deleted: ".
    """

    one: PlacedSet
    goes: bool
    why: str


_Kept = tuple[PlacedSet, str]  # a set, and one reason to keep it


def decide(sets: Sequence[PlacedSet], retention: Retention) -> list[Decision]:
    """Decide which sets are kept, and say why.

    Args:
        sets: all sets that rotations made of one repository.
        retention: how many dated sets to keep.

    Returns:
        One decision for each set: dated sets first, then those of each weekday, by number.
    """
    ordered = sorted(sets, key=lambda one: (one.number, one.started, one.image.name))
    places = {place: [one for one in ordered if one.place == place] for place in PLACES}
    reasons: dict[PlacedSet, list[str]] = {one: [] for one in ordered}
    for rule in (_always(ordered), _refilled(places), _retained(ordered, retention)):
        for one, why in rule:
            reasons[one].append(why)
    return [
        Decision(one, not reasons[one], "; ".join(reasons[one]) or _deleted(sets_there, retention))
        for sets_there in places.values()
        for one in sets_there
    ]


def blows_fuse(decisions: Sequence[Decision]) -> list[PlacedSet]:
    """Return the dated sets that would be removed if they are more than `FUSE`, else none."""
    going = [one for one, goes, _ in decisions if goes and one.place == DATED]
    return going if len(going) > FUSE else []


def _always(ordered: Sequence[PlacedSet]) -> Iterator[_Kept]:
    """Yield the sets that are kept in any place and with any options."""
    yield from ((one, "newest of all") for one in _newest(ordered))
    drilled = [one for one in ordered if one.is_drilled]
    yield from ((one, "newest that was drilled") for one in _newest(drilled))
    times = collections.Counter(one.number for one in ordered)
    for one in ordered:
        if one.keep:
            yield one, "its .keep file"
        if times[one.number] > 1:
            yield one, "another set has the same number"


def _refilled(places: Mapping[str, Sequence[PlacedSet]]) -> Iterator[_Kept]:
    """Yield the newest set of each weekday's place."""
    for weekday in WEEKDAYS:
        yield from ((one, f"newest of {weekday}") for one in _newest(places[weekday]))


def _retained(ordered: Sequence[PlacedSet], retention: Retention) -> Iterator[_Kept]:
    """Yield the dated sets that the options keep, and those whose date cannot be trusted."""
    sound = in_order([one.started for one in ordered])
    counted = []
    for index, one in enumerate(ordered):
        if one.place != DATED:
            continue  # it counts only for the order of starts
        if not retention.given:
            yield one, "all dated sets are kept"
        elif index not in sound:
            yield one, "its start is out of order with its neighbours"
        elif _is_far(one):
            yield one, "its slot is far from its start"
        else:
            counted.append(one)
    for kind, count in retention.given.items():
        found = newest_of_each([one.slot for one in counted], kind, count)
        yield from ((counted[index], why) for index, why in found.items())


def _deleted(sets: Sequence[PlacedSet], retention: Retention) -> str:
    """Return why a set is deleted, if no rule keeps it.

    Args:
        sets: the sets in the same place.
        retention: how many dated sets to keep.
    """
    newest = sets[-1]
    if newest.place != DATED:
        return f"{newest.place} has a newer one, backup {newest.number}"
    options = ", ".join(f"{kind} {count:,}" for kind, count in retention.given.items())
    return f"no retention option keeps it ({options})"


def _newest(sets: Sequence[PlacedSet]) -> list[PlacedSet]:
    """Return the sets with the highest number; none if there are no sets."""
    highest = max((one.number for one in sets), default=None)
    return [one for one in sets if one.number == highest]


def _is_far(one: PlacedSet) -> bool:
    return abs(datetime.datetime.fromisoformat(one.started).date() - one.slot) > _FAR
