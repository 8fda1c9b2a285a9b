"""Whatever osbackup does, a backup is proven, or it does not exist."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from ways import over_ssh

if TYPE_CHECKING:
    from sites import Site

FAILURES = {
    ("exit", "1"): 40,
    ("exit", "255"): 40,
    ("signal", "KILL"): 40,
    ("signal", "SEGV"): 40,
    ("enospc", "2k"): 40,
    ("prompt",): 40,
    ("hang",): 31,
    ("vanish",): 40,
    ("truncate",): 41,
    ("truncate", "1k"): 41,
    ("corrupt",): 41,
    ("empty",): 41,
}


# What may differ over ssh: exit status, signal, full disk, no end, no image, a wrong image.
OVER_SSH = [
    ("exit", "1"),
    ("signal", "KILL"),
    ("enospc", "2k"),
    ("hang",),
    ("vanish",),
    ("corrupt",),
]


@pytest.mark.parametrize("fault", over_ssh(FAILURES, *OVER_SSH), ids=" ".join)
def test_a_fault_ends_with_its_code_and_leaves_nothing(site: Site, fault: tuple[str, ...]) -> None:
    """The same command succeeds the next time."""
    before = site.listing()
    site.sim.fault("osbackup", *fault)
    result = site.backup(*(("-timeout", "5") if fault == ("hang",) else ()))
    assert result.exit_code == FAILURES[fault], result.stderr
    assert "What this run had created was removed" in result.stderr
    after = site.listing()
    if fault == ("vanish",):
        (gone,) = before.keys() - after.keys()
        assert gone.endswith(".db")
        return
    assert after == before
    assert site.backup().exit_code == 0
    assert site.sim.faults.unstruck() == []


@pytest.mark.parametrize(
    "fault",
    over_ssh(
        [("output", "1m"), ("binary",), ("slow", "1m/s"), ("record",)],
        ("output", "1m"),
        ("record",),
    ),
    ids=" ".join,
)
def test_odd_manners_are_no_failure(site: Site, fault: tuple[str, ...]) -> None:
    """The proof decides, and not what is printed, or left in PATH.run."""
    site.sim.fault("osbackup", *fault)
    result = site.backup()
    assert result.exit_code == 0, result.stderr
    assert not os.path.exists(f"{site.image}.run")
    assert len(result.stderr) < 1000
    assert site.sim.faults.unstruck() == []


def test_an_osrestore_that_cannot_list_the_image_fails_the_proof(site: Site) -> None:
    """An image that cannot be listed is not proven."""
    before = site.listing()
    site.sim.fault("osrestore", "prompt")
    result = site.backup()
    assert result.exit_code == 41, result.stderr
    assert site.listing() == before
