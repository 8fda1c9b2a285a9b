"""Which sets a rotation removes, which it keeps, and why."""

from __future__ import annotations

import datetime
import time
from typing import TYPE_CHECKING

import pytest
from placed_sets import DAY, SUNDAY, YEAR, kept, moved, placed, weekly

from csf_backup_plugin.operations.rotate.plan import FUSE, Retention, blows_fuse, decide

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from csf_backup_plugin.operations.rotate.plan import PlacedSet

ALL = Retention()


def told(sets: Iterable[PlacedSet], retention: Retention = ALL) -> dict[int, str]:
    """Return the decisions by number, as the plan prints them."""
    return {
        one.number: f"{'deleted' if goes else 'kept'}: {why}"
        for one, goes, why in decide([*sets], retention)
    }


def test_a_newer_set_replaces_the_older_ones_of_its_weekday() -> None:
    """The number decides, whatever the clock says; other places are not touched."""
    monday = SUNDAY + DAY
    sets = [
        placed(3, monday, started="2029-01-01T00:00:00+00:00"),
        placed(4, monday + DAY),
        placed(10, monday + 7 * DAY),
        placed(17, monday + 14 * DAY, started="2020-01-01T00:00:00+00:00"),
    ]
    assert told(sets) == {
        3: "deleted: monday has a newer one, backup 17",
        10: "deleted: monday has a newer one, backup 17",
        17: "kept: newest of all; newest of monday",
        4: "kept: newest of tuesday",
    }


def test_what_was_drilled_or_marked_stays_in_its_place() -> None:
    """Only the newest drilled set is protected: a newer set may be no good one."""
    monday = SUNDAY + DAY
    sets = [placed(number, monday + 7 * DAY * number) for number in range(5)]
    sets[0] = sets[0]._replace(keep=True)
    sets[1] = sets[1]._replace(is_drilled=True)
    sets[2] = sets[2]._replace(is_drilled=True)
    assert told(sets) == {
        0: "kept: its .keep file",
        1: "deleted: monday has a newer one, backup 4",
        2: "kept: newest that was drilled",
        3: "deleted: monday has a newer one, backup 4",
        4: "kept: newest of all; newest of monday",
    }


def test_all_dated_sets_are_kept_unless_an_option_says_otherwise() -> None:
    """By default, no dated set is deleted."""
    assert {*told(weekly(3)).values()} == {
        "kept: all dated sets are kept",
        "kept: newest of all; all dated sets are kept",
    }


def test_each_option_counts_buckets_and_what_one_keeps_is_kept() -> None:
    """Every rule that keeps a set is named."""
    sets = weekly(7)  # 28 November to 9 January
    assert told(sets, Retention(dated=2, monthly=2, yearly=5)) == {
        1: "deleted: no retention option keeps it (dated 2, monthly 2, yearly 5)",
        8: "deleted: no retention option keeps it (dated 2, monthly 2, yearly 5)",
        15: "deleted: no retention option keeps it (dated 2, monthly 2, yearly 5)",
        22: "deleted: no retention option keeps it (dated 2, monthly 2, yearly 5)",
        29: "kept: newest of 2027-12, monthly 2 of 2; newest of 2027, yearly 2 of 5",
        36: "kept: newest of 2028-01-02, dated 2 of 2",
        43: "kept: newest of all; newest of 2028-01-09, dated 1 of 2; "
        "newest of 2028-01, monthly 1 of 2; newest of 2028, yearly 1 of 5",
    }


def test_an_option_that_is_not_given_keeps_nothing_and_zero_keeps_nothing_either() -> None:
    """The newest set is always kept."""
    sets = weekly(3)
    assert kept(sets, Retention(monthly=1)) == kept(sets, Retention(dated=0)) == sets[-1:]
    assert kept(sets, Retention(0, 0, 0)) == sets[-1:]


def test_retention_goes_by_what_there_is_and_never_by_age() -> None:
    """After a pause of years, as much is kept as before it."""
    sets = [*weekly(8), *weekly(1, datetime.date(2040, 1, 1))]
    sets[-1] = sets[-1]._replace(number=1_000)
    assert kept(sets, Retention(dated=4)) == sets[-4:]


@pytest.mark.parametrize("by", [YEAR, -YEAR])
@pytest.mark.parametrize("back", range(2, 8))
def test_a_set_whose_clock_was_wrong_is_kept_and_counts_nowhere(
    by: datetime.timedelta, back: int
) -> None:
    """Its clock may be ahead or behind, in any position: the others keep their buckets."""
    sets = weekly(8)
    sets[-back] = moved(sets[-back], by)
    expected = [one for one in sets if one is sets[-back] or one in kept_without(sets, -back)]
    assert kept(sets, Retention(dated=3)) == expected
    wrong = told(sets, Retention(dated=3))[sets[-back].number]
    assert wrong == "kept: its start is out of order with its neighbours"


def kept_without(sets: Sequence[PlacedSet], index: int) -> list[PlacedSet]:
    """Return what -keep-dated 3 keeps if one of the sets is missing."""
    return [one for one in sets if one is not sets[index]][-3:]


def test_a_clock_that_is_ahead_takes_one_bucket_while_its_set_is_the_newest() -> None:
    """It may be the first right clock in years; the next night shows it."""
    sets = weekly(8)
    sets[-1] = moved(sets[-1], YEAR)
    left = kept(sets, Retention(dated=3))
    assert left == sets[-3:]
    left = kept([*left, placed(51, SUNDAY + DAY * 50)], Retention(dated=3))
    assert left[:3] == sets[-3:]
    left = kept([*left, *weekly(9)[8:]], Retention(dated=3))
    assert left[:4] == [*sets[-3:], *weekly(9)[8:]]


def test_sets_of_weekdays_bear_witness_to_a_dated_sets_clock() -> None:
    """There may be no other dated set before or after it."""
    sets = [placed(1, SUNDAY + YEAR), placed(2, SUNDAY + DAY)]
    assert told(sets, Retention(dated=0))[1] == (
        "kept: its start is out of order with its neighbours"
    )


def test_a_set_that_was_made_long_after_its_slot_is_kept() -> None:
    """If it was a week late, -slot may have been mistyped."""
    first, second, newest = weekly(3)
    late = first._replace(slot=first.slot - 8 * DAY)
    assert told([late, second, newest], Retention(dated=1)) == {
        1: "kept: its slot is far from its start",
        8: "deleted: no retention option keeps it (dated 1)",
        15: "kept: newest of all; newest of 2027-12-12, dated 1 of 1",
    }
    early = first._replace(slot=first.slot + 7 * DAY)
    assert kept([early, second, newest], Retention(dated=1)) == [newest]


def test_of_two_sets_with_one_number_neither_is_deleted() -> None:
    """One may be from before a restore of the repository."""
    monday = SUNDAY + DAY
    sets = [
        placed(1, monday),
        placed(1, monday + DAY),
        placed(2, monday + 7 * DAY),
        placed(2, monday + 14 * DAY),
        placed(9, monday + 22 * DAY),
    ]
    assert kept(sets, ALL) == [sets[0], sets[2], sets[3], sets[1], sets[4]]
    assert decide(sets, ALL)[0].why == "another set has the same number"
    assert decide(sets, ALL)[1].why == "another set has the same number; newest of monday"


def test_nothing_is_decided_of_nothing() -> None:
    """A first rotation has no sets."""
    assert decide([], Retention(1, 1, 1)) == []


def test_more_than_two_dated_sets_that_would_go_blow_the_fuse() -> None:
    """Sets of weekdays are replaced every week, and do not count."""
    going = weekly(FUSE + 2)[:-1]
    assert blows_fuse(decide(weekly(FUSE + 1), Retention(dated=1))) == []
    assert blows_fuse(decide(weekly(FUSE + 2), Retention(dated=1))) == going
    mondays = [one._replace(place="monday") for one in weekly(9)]
    assert len(kept(mondays, ALL)) == 1
    assert blows_fuse(decide(mondays, ALL)) == []


def test_twenty_thousand_sets_are_decided_in_seconds() -> None:
    """No step takes quadratic time."""
    sets = [placed(number, SUNDAY + DAY * number) for number in range(20_000)]
    began = time.process_time()
    assert len(kept(sets, Retention(10, 10, 10))) < 40
    assert time.process_time() - began < 10
