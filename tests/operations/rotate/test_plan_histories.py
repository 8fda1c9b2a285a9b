"""Properties of the plan for any history of clocks, numbers, drills and options."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, NamedTuple

from hypothesis import given
from hypothesis import strategies as st
from placed_sets import DAY, SUNDAY, YEAR, kept, moved, placed

from csf_backup_plugin.image.path import ImagePath
from csf_backup_plugin.image.place import DATED, PLACES, place_of
from csf_backup_plugin.operations.rotate.plan import Retention, decide
from csf_backup_plugin.weekdays import WEEKDAYS

if TYPE_CHECKING:
    from collections.abc import Sequence
    from random import Random

    from csf_backup_plugin.operations.rotate.plan import PlacedSet


class Night(NamedTuple):
    """The events of one night.

    Attributes:
        days: since the last one.
        is_drilled: whether its set is drilled.
        keep: whether it is marked.
        late: the days since the date for which it was due.
        clock: the days by which the clock is ahead.
        again: by how many the number is too low, as after a restored manifest.
    """

    days: int
    is_drilled: bool
    keep: bool
    late: int
    clock: int
    again: int


RETENTIONS = st.builds(Retention, *[st.none() | st.integers(0, 4)] * 3)
LATE = st.sampled_from([0] * 10 + [1, 8])
AGAIN = st.sampled_from([0] * 10 + [1, 2])
CLOCKS = st.sampled_from([0] * 10 + [365, -365, 3, -40])


def histories(
    clock: st.SearchStrategy[int] = CLOCKS, again: st.SearchStrategy[int] = AGAIN
) -> st.SearchStrategy[list[PlacedSet]]:
    """Return a strategy for lists of sets in the order of their making.

    Args:
        clock: what each night's clock may be.
        again: what each night's numbers may be.
    """
    some = st.sampled_from([False] * 5 + [True])
    night = st.builds(Night, st.sampled_from([1] * 9 + [0, 7]), some, some, LATE, clock, again)
    return st.lists(night, max_size=60).map(lived)


def lived(nights: Sequence[Night]) -> list[PlacedSet]:
    """Return the sets of the nights if none is deleted."""
    sets: list[PlacedSet] = []
    day, number = SUNDAY, 0
    for index, one in enumerate(nights):
        day += DAY * one.days
        number = max(number + 1 - one.again, 1)
        made = moved(placed(number, day), DAY * one.clock)
        slot = made.slot - DAY * one.late
        start = datetime.datetime.fromisoformat(made.started)
        sets.append(
            made._replace(
                image=ImagePath("localhost", f"/b/{index}.img"),
                started=(start + datetime.timedelta(seconds=index)).isoformat(),
                slot=slot,
                place=place_of(slot, "sunday"),
                is_drilled=one.is_drilled,
                keep=one.keep,
            )
        )
    return sets


RIGHT = histories(st.just(0), st.just(0))


def protected(sets: Sequence[PlacedSet]) -> set[PlacedSet]:
    """Return what no rule may delete: the newest, newest drilled, marked and doubtful sets."""
    numbers = [one.number for one in sets]
    newest = max(numbers, default=0)
    drilled = max((one.number for one in sets if one.is_drilled), default=0)
    return {
        one
        for one in sets
        if one.keep or one.number in (newest, drilled) or numbers.count(one.number) > 1
    }


@given(histories(), RETENTIONS)
def test_the_last_good_ones_are_never_deleted(sets: list[PlacedSet], retention: Retention) -> None:
    """Neither is the last set of all, with any clocks, numbers, slots and options."""
    left = kept(sets, retention)
    assert protected(sets) <= {*left}
    assert left or not sets


@given(histories(), RETENTIONS, st.randoms(use_true_random=False))
def test_each_set_is_decided_once_in_an_order_to_read(
    sets: list[PlacedSet], retention: Retention, random: Random
) -> None:
    """The order in which sets are found does not matter, and each decision has a reason."""
    decisions = decide(sets, retention)
    decided = [(PLACES.index(one.place), one.number) for one, _, _ in decisions]
    assert decided == sorted(decided)
    assert {one for one, _, _ in decisions} == {*sets}
    assert len(decisions) == len(sets)
    assert all(why for _, _, why in decisions)
    random.shuffle(sets)
    assert decide(sets, retention) == decisions


@given(histories(), RETENTIONS)
def test_a_weekdays_place_keeps_its_newest_set_and_no_other(
    sets: list[PlacedSet], retention: Retention
) -> None:
    """Protected sets are kept in any place."""
    left, safe = kept(sets, retention), protected(sets)
    for weekday in WEEKDAYS:
        there = [one for one in sets if one.place == weekday]
        newest = max((one.number for one in there), default=0)
        rest = [one for one in left if one.place == weekday]
        assert {one for one in rest if one not in safe} <= {*rest[-1:]}
        assert {one for one in there if one.number == newest} <= {*rest}


@given(histories())
def test_no_dated_set_goes_without_an_option(sets: list[PlacedSet]) -> None:
    """No other rule removes a dated set."""
    assert {one for one in sets if one.place == DATED} <= {*kept(sets, Retention())}


@given(histories(), RETENTIONS, st.data())
def test_a_set_that_is_marked_changes_nothing_for_the_others(
    sets: list[PlacedSet], retention: Retention, data: st.DataObject
) -> None:
    """It still counts in its bucket, so a mark neither prevents nor causes other deletions."""
    if sets:
        at = data.draw(st.integers(0, len(sets) - 1))
        marked = [one._replace(keep=one.keep or index == at) for index, one in enumerate(sets)]
        assert {*kept(marked, retention)} - {marked[at]} == {*kept(sets, retention)} - {sets[at]}


@given(histories(), st.builds(Retention, *[st.integers(0, 4)] * 3), st.integers(0, 2))
def test_a_higher_option_never_deletes_more(
    sets: list[PlacedSet], retention: Retention, which: int
) -> None:
    """Only options that were given can rise."""
    kind = Retention._fields[which]
    more = retention._replace(**{kind: getattr(retention, kind) + 1})
    assert {*kept(sets, retention)} <= {*kept(sets, more)}


@given(RIGHT, RETENTIONS)
def test_deciding_again_deletes_nothing_more(sets: list[PlacedSet], retention: Retention) -> None:
    """This holds while clocks are right: a set out of order may lose its witnesses."""
    left = kept(sets, retention)
    assert kept(left, retention) == left


@given(RIGHT, RETENTIONS)
def test_every_night_comes_to_the_same_as_one_at_the_end(
    sets: list[PlacedSet], retention: Retention
) -> None:
    """No set is deleted too early, and none is left over."""
    left: list[PlacedSet] = []
    for one in sets:
        left = kept([*left, one], retention)
    assert left == kept(sets, retention)


@given(RIGHT.filter(lambda sets: len(sets) > 1), RETENTIONS, st.data())
def test_a_wrong_clock_deletes_no_other_set(
    sets: list[PlacedSet], retention: Retention, data: st.DataObject
) -> None:
    """A clock may be ahead of all others or behind them, with sets before and after it.

    The newest set is known by its number: so the set in question is a dated one, not drilled. Once
    it is the oldest, nothing shows any more that its clock was behind, and it may be removed.
    """
    by = data.draw(st.sampled_from([3 * YEAR, -3 * YEAR]))
    before = data.draw(st.integers(1, len(sets) - 1))
    sets = [one._replace(number=2 * one.number) for one in sets]
    slot = sets[before].slot + by
    wrong = placed(2 * before + 1, slot, place=DATED)
    left = kept([*sets, wrong], retention)
    assert wrong in left
    assert {*left} - {wrong} == {*kept(sets, retention)}
    assert {*left} - {*kept(left, retention)} <= ({wrong} if by < 0 * DAY else set())
