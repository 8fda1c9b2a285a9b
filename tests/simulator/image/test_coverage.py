"""The proof that an image holds every sector exactly once."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from csf_simulator.image.coverage import Coverage
from csf_simulator.image.layout import ImageError

Run = tuple[int, int]


def covered(runs: list[Run], total: int) -> bool:
    """Tell whether runs of sectors are accepted as the whole."""
    coverage = Coverage()
    try:
        for start, count in runs:
            coverage.add(start, count)
        coverage.require(total)
    except ImageError:
        return False
    return True


@st.composite
def partitions(draw: st.DrawFn) -> list[Run]:
    """Generate runs that make up a whole, in any order."""
    lengths = draw(st.lists(st.integers(1, 5), min_size=1, max_size=12))
    starts = [sum(lengths[:number]) for number in range(len(lengths))]
    return draw(st.permutations(list(zip(starts, lengths, strict=True))))


@given(partitions())
def test_whole_is_accepted_in_any_order(runs: list[Run]) -> None:
    """Records may come in any order."""
    assert covered(runs, sum(count for _, count in runs))


@given(partitions(), st.data())
def test_loss_is_found(runs: list[Run], data: st.DataObject) -> None:
    """No run may be missing."""
    total = sum(count for _, count in runs)
    runs.remove(data.draw(st.sampled_from(runs)))
    assert not covered(runs, total)


@given(st.lists(st.tuples(st.integers(0, 12), st.integers(0, 5)), max_size=12), st.integers(1, 12))
def test_accepted_runs_hold_each_sector_once(runs: list[Run], total: int) -> None:
    """Runs are accepted exactly if counting sector by sector says the same."""
    sectors = sorted(sector for start, count in runs for sector in range(start, start + count))
    empty = any(count == 0 for _, count in runs)
    assert covered(runs, total) == (sectors == list(range(total)) and not empty)


def test_records_in_order_need_no_memory() -> None:
    """However large an image is, runs that follow each other are one run."""
    coverage = Coverage()
    for start in range(0, 10_000, 10):
        coverage.add(start, 10)
    assert coverage._end == {0: 10_000}
    assert coverage._start == {10_000: 0}


def test_overlap_at_an_end_is_refused_at_once() -> None:
    """A repeated sector is found as soon as it can be seen."""
    runs = [(0, 4), (10, 4)]
    random.shuffle(runs)
    coverage = Coverage()
    for run in runs:
        coverage.add(*run)
    for start, count in ((10, 1), (12, 2)):
        with pytest.raises(ImageError, match="twice"):
            coverage.add(start, count)
