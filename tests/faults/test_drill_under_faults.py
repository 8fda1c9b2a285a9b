"""Whatever osrestore does during a drill is reported and recorded, and nothing else is left."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from ways import over_ssh

if TYPE_CHECKING:
    from pathlib import Path

    from sites import Site

FAULTS = [
    ("exit", "1"),
    ("exit", "255"),
    ("signal", "KILL"),
    ("signal", "SEGV"),
    ("enospc", "2k"),
    ("prompt",),
]


@pytest.fixture
def scratch(site: Site) -> Path:
    """Return an empty directory on the image's host, of which a backup exists to drill."""
    assert site.backup().exit_code == 0
    made = site.images.parent / "scratch"
    made.mkdir()
    return made


@pytest.mark.parametrize("fault", over_ssh(FAULTS, ("exit", "1"), ("signal", "KILL")), ids=" ".join)
def test_a_fault_is_a_finding_and_leaves_nothing(
    site: Site, scratch: Path, fault: tuple[str, ...]
) -> None:
    """Repository and image are unchanged; the same command succeeds the next time."""
    before = site.listing()
    site.sim.fault("osrestore", *fault)
    command = ("admin_database_drill", "-scratch-dir", str(scratch))
    result = site.on_image(*command, "-json")
    assert result.exit_code == 50, result.stderr
    (finding,) = json.loads(result.stdout)["findings"]
    assert finding.startswith("osrestore failed: ")
    assert "What this run had created was removed" in result.stderr
    after = site.listing()
    assert finding in json.loads(after.pop(f"{site.image}.drill.json")[1])["findings"]
    assert after == before
    assert list(scratch.iterdir()) == []
    assert site.on_image(*command).exit_code == 0
    assert site.sim.faults.unstruck() == []


@pytest.mark.parametrize(
    "fault",
    over_ssh([("output", "1m"), ("binary",), ("slow", "1m/s")], ("output", "1m")),
    ids=" ".join,
)
def test_odd_manners_are_no_fault(site: Site, scratch: Path, fault: tuple[str, ...]) -> None:
    """Only the restored databases count."""
    site.sim.fault("osrestore", *fault)
    result = site.on_image("admin_database_drill", "-scratch-dir", str(scratch))
    assert result.exit_code == 0, result.stderr
    assert len(result.stderr) < 1000
    assert site.sim.faults.unstruck() == []


def test_an_osrestore_that_cannot_list_an_image_does_not_verify_it(site: Site) -> None:
    """This holds even if its bytes are those that were backed up."""
    assert site.backup().exit_code == 0
    site.sim.fault("osrestore", "prompt")
    result = site.on_image("admin_database_verify", "-json")
    assert result.exit_code == 50
    (finding,) = json.loads(result.stdout)["findings"]
    assert finding.startswith("osrestore -t cannot read the image: ")
