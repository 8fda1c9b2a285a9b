"""Scripted faults: which strike, which have struck."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from csf_simulator.faults.fault import Fault
from csf_simulator.faults.script import Faults

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def faults(tmp_path: Path) -> Faults:
    """Return a simulator's faults; there are none yet."""
    return Faults(str(tmp_path / "faults"))


def test_without_a_script_nothing_strikes(faults: Faults) -> None:
    """Without a script no fault strikes, and none is left."""
    assert faults.strike("osbackup") is None
    assert faults.unstruck() == []
    faults.clear()


def test_a_fault_strikes_once_its_own_tool(faults: Faults) -> None:
    """A fault strikes one run of its own tool, and no run of another."""
    hang = Fault("osbackup", "hang")
    faults.script(hang)
    assert faults.strike("osrestore") is None
    assert faults.unstruck() == [hang]
    assert faults.strike("osbackup") == hang
    assert faults.strike("osbackup") is None
    assert faults.unstruck() == []


def test_a_fault_that_would_change_nothing_waits(faults: Faults) -> None:
    """A fault whose kind is spared waits for a later run, and counts as not struck."""
    faults.script(Fault("osbackup", "record"))
    faults.script(Fault("osbackup", "hang"))
    assert faults.strike("osbackup", spared=["record"]) == Fault("osbackup", "hang")
    assert faults.unstruck() == [Fault("osbackup", "record")]
    assert faults.strike("osbackup") == Fault("osbackup", "record")


def test_faults_strike_in_the_order_of_the_script(faults: Faults) -> None:
    """Each run is struck by the next fault of the script."""
    script = [Fault("osbackup", "exit", str(number)) for number in range(1, 13)]
    for fault in script:
        faults.script(fault)
    assert [faults.strike("osbackup") for _ in script] == script


def test_a_fault_may_strike_always(faults: Faults) -> None:
    """A fault scripted with always strikes every run from its turn on."""
    always = Fault("osbackup", "empty", always=True)
    faults.script(Fault("osbackup", "hang"))
    faults.script(always)
    struck = [faults.strike("osbackup") for _ in range(4)]
    assert struck == [Fault("osbackup", "hang"), always, always, always]
    assert faults.unstruck() == []


def test_clearing_forgets_everything(faults: Faults) -> None:
    """Clearing removes all faults, struck or not, and new ones can be scripted."""
    for _ in range(2):
        faults.script(Fault("osbackup", "hang"))
    faults.strike("osbackup")
    faults.clear()
    assert faults.strike("osbackup") is None
    faults.script(Fault("osbackup", "hang"))
    assert faults.strike("osbackup")


@pytest.mark.parametrize(
    "fault",
    [
        Fault("csf", "exit", "1"),
        Fault("osbackup", "nonsense"),
        Fault("osrestore", "truncate"),
        Fault("osbackup", "exit"),
        Fault("osbackup", "exit", "many"),
        Fault("osbackup", "exit", "256"),
        Fault("osbackup", "signal", "NONE"),
        Fault("osbackup", "slow", "4g/year"),
        Fault("osbackup", "slow", ""),
        Fault("osbackup", "enospc", "0"),
        Fault("osbackup", "truncate", "half"),
        Fault("osbackup", "hang", "5"),
    ],
)
def test_what_makes_no_sense_is_refused_when_it_is_scripted(faults: Faults, fault: Fault) -> None:
    """An impossible fault is an error when it is scripted, and is not kept."""
    with pytest.raises(ValueError, match=fault.tool):
        faults.script(fault)
    assert faults.unstruck() == []


def test_a_fault_is_shown_as_it_is_scripted() -> None:
    """A fault is shown with the words that script it."""
    assert str(Fault("osbackup", "exit", "3", always=True)) == "osbackup exit 3 --always"
