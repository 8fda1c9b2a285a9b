"""One run of a utility under a fault."""

from __future__ import annotations

import pytest

from csf_simulator.faults.effect import NO_EFFECT, Effect, Progress
from csf_simulator.faults.run import FaultyRun


class Watching(Effect):
    """Records what the run reports."""

    def __init__(self) -> None:
        super().__init__()
        self.told: list[Progress] = []

    def wrote(self, progress: Progress) -> None:
        self.told.append(progress)


def test_an_effect_learns_how_far_the_run_has_come() -> None:
    """An effect gets the sum of all writes, the time, and the databases of the run."""
    watching = Watching()
    run = FaultyRun(watching, ["/a.db"])
    run.begin()
    run.wrote(3)
    run.wrote(4)
    run.end("image")
    assert [each.written for each in watching.told] == [3, 7]
    assert [each.databases for each in watching.told] == [["/a.db"]] * 2
    assert 0 <= watching.told[0].seconds <= watching.told[1].seconds
    assert not run.keeps_record


def test_without_a_fault_nothing_happens() -> None:
    """A run that no fault strikes does its own work only."""
    run = FaultyRun(NO_EFFECT)
    run.begin()
    run.wrote(1)
    run.end("image")
    assert not run.keeps_record


def test_no_effect_takes_no_value() -> None:
    """The kinds without a value inherit this."""
    with pytest.raises(ValueError, match="a value where none is taken"):
        Effect("5")
