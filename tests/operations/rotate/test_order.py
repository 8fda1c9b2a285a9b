"""Which sets have a start that is out of order with those of their neighbours."""

from __future__ import annotations

import bisect

import pytest
from hypothesis import given
from hypothesis import strategies as st

from csf_backup_plugin.operations.rotate.order import in_order

STARTS = st.lists(st.text("0123456789", min_size=1, max_size=1), max_size=20)


@pytest.mark.parametrize(
    ("starts", "wrong"),
    [
        ("", ""),
        ("1", ""),
        ("11223", ""),
        ("129345", "9"),  # ahead
        ("134526", "2"),  # back
        ("1293", "9"),  # ahead, and the last but one
        ("193", "9"),
        ("93", "9"),  # or back: it is not known which
        ("1324", "2"),
        ("214", "1"),  # back, and the second of all
        ("2349", ""),  # ahead, and the last of all: it cannot be known
        ("2341", "1"),  # back, and the last of all
        ("1289345", "89"),
        ("9123", "9"),
    ],
)
def test_a_wrong_clock_puts_only_its_own_set_out_of_order(starts: str, wrong: str) -> None:
    """It may be any of the sets."""
    sound = in_order(starts)
    assert "".join(start for index, start in enumerate(starts) if index not in sound) == wrong


@given(STARTS)
def test_as_many_as_possible_are_in_order(starts: list[str]) -> None:
    """None of the sets in order starts before its predecessor."""
    found = [starts[index] for index in sorted(in_order(starts))]
    assert found == sorted(found)
    longest: list[int] = []  # of the parts that end with each start
    for index, start in enumerate(starts):
        before = [longest[i] for i in range(index) if starts[i] <= start]
        longest.append(max(before, default=0) + 1)
    assert len(found) == max(longest, default=0)


@given(st.lists(st.integers(100, 900), min_size=2, max_size=20).map(sorted), st.data())
def test_one_that_is_ahead_of_all_or_behind_all_is_the_only_one(
    clock: list[int], data: st.DataObject
) -> None:
    """The others show whether it is ahead and not last, or behind and not first."""
    ahead = data.draw(st.booleans())
    last = len(clock) - ahead
    at = data.draw(st.integers(1 - ahead, last))
    starts = [str(one) for one in clock]
    starts.insert(at, "999" if ahead else "000")
    assert in_order(starts) == {*range(len(starts))} - {at}


def test_what_is_sorted_is_all_in_order() -> None:
    """Equal start times are in order, too."""
    starts = sorted(f"{number % 1000:04}" for number in range(20_000))
    assert len(in_order(starts)) == bisect.bisect_right(starts, "9999") == 20_000
