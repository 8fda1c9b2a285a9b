"""One suite of scenarios for osbackup and osrestore: simulated, real and deviating ones."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import pytest
from contract import backup_scenarios, deviating, installed, restore_scenarios
from contract.bench import Bench
from contract.conformance import Record, Scenario, play, write_report
from contract.installed import LARGE, Utilities

from csf_simulator.simulator import Simulator

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SCENARIOS = [*backup_scenarios.SCENARIOS, *restore_scenarios.SCENARIOS]
EVERY = pytest.mark.parametrize("scene", SCENARIOS, ids=[scene.name for scene in SCENARIOS])


@pytest.fixture(scope="module")
def simulated() -> Iterator[Utilities]:
    """Return the simulator's utilities, with databases of the simulator's."""
    with Simulator() as sim:
        databases = os.path.dirname(sim.repository(classes=1, size=LARGE + 1))
        yield Utilities(sim.home.bin, databases, sim.home.environment(os.environ))


def installation(root: str, databases: str) -> Utilities:
    """Return the utilities of an ObjectStore installed in `root`."""
    return Utilities(os.path.join(root, "bin"), databases, os.environ)


def read_inventory(utilities: Utilities, directory: str) -> tuple[str, list[Record]]:
    """Run all scenarios, write the report, and return its path and the differences."""
    records = [play(scene, utilities) for scene in SCENARIOS]
    return write_report(directory, records), [each for each in records if not each.agrees]


def assert_documented(utilities: Utilities, directory: str) -> None:
    """Run all scenarios, write the report, and fail if a document is wrong."""
    report, differences = read_inventory(utilities, directory)
    print(f"{len(differences)} of {len(SCENARIOS)} scenarios differ: {report}")  # pytest -rP
    contradictions = [record.line() for record in differences if record.contradicts]
    assert not contradictions, "\n".join([report, *contradictions])


def scripts(root: Path, osbackup: str, osrestore: str) -> Utilities:
    """Return utilities made of two scripts, found like those of a real installation."""
    deviating.write_utilities(str(root / "objectstore" / "bin"), osbackup, osrestore)
    deviating.write_databases(str(root / "databases"))
    return installation(str(root / "objectstore"), str(root / "databases"))


@EVERY
def test_simulator_does_what_is_said(scene: Scenario, simulated: Utilities) -> None:
    """This holds for documented, inferred and assumed behaviour."""
    record = play(scene, simulated)
    assert record.observed == record.expected, record.sentence


@pytest.mark.timeout(3600)  # seconds; utilities may wait for an operator many times
def test_real_utilities_do_what_is_documented(tmp_path: Path) -> None:
    """The test fails if a document is wrong; differences from what was inferred are recorded."""
    root, databases = (os.environ.get(name) for name in ("OS_ROOTDIR", "CSF_TEST_DATABASE"))
    if not root:
        pytest.skip("OS_ROOTDIR is not set: this needs an ObjectStore, which no CI has")
    if not databases:
        pytest.skip("CSF_TEST_DATABASE is not set: name a directory of databases to copy")
    report_directory = os.environ.get("CSF_TEST_REPORT") or str(tmp_path)
    assert_documented(installation(root, databases), report_directory)


def test_differences_are_found_and_written_down(tmp_path: Path) -> None:
    """Utilities made of tar differ only where they were made to differ."""
    utilities = scripts(tmp_path, deviating.OSBACKUP, deviating.OSRESTORE)
    report, differences = read_inventory(utilities, str(tmp_path / "new" / "report"))
    assert {record.scenario: record.label for record in differences} == deviating.DIFFERENCES
    with open(report, encoding="utf-8") as file:
        written = [json.loads(line) for line in file]
    assert [line["scenario"] for line in written] == [scene.name for scene in SCENARIOS]
    assert {line["scenario"] for line in written if not line["agrees"]} == {*deviating.DIFFERENCES}
    (counted,) = [line for line in written if line["scenario"] == "sectors_are_counted_up"]
    assert counted == {
        "scenario": "sectors_are_counted_up",
        "label": "DOC",
        "sentence": "Osbackup counts ceil(size / 512) sectors of a database.",
        "expected": {"./repository/large.db": 391, "./repository/small.db": 14},
        "observed": {"./repository/large.db": 390, "./repository/small.db": 13},
        "agrees": False,
    }


def test_only_a_document_that_is_wrong_fails_the_real_half(tmp_path: Path) -> None:
    """The failure shows those differences, and the path of the report."""
    utilities = scripts(tmp_path, deviating.OSBACKUP, deviating.OSRESTORE)
    with pytest.raises(AssertionError) as failure:
        assert_documented(utilities, str(tmp_path / "report"))
    report, *shown = str(failure.value).partition("\nassert ")[0].splitlines()
    assert report == str(tmp_path / "report" / "utilities.jsonl")
    documented = [name for name, label in deviating.DIFFERENCES.items() if label == "DOC"]
    assert [json.loads(line)["scenario"] for line in shown] == documented


@EVERY
def test_no_scenario_is_content_with_nothing(scene: Scenario, tmp_path: Path) -> None:
    """Utilities that do nothing, and exit with 0, pass no scenario."""
    nothing = "#!/bin/sh\n"
    assert not play(scene, scripts(tmp_path, nothing, nothing)).agrees


def test_utility_that_waits_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All its processes are ended, or the suite would wait for them."""
    monkeypatch.setattr(installed, "PATIENCE", 0.5)
    waiting = "#!/bin/sh\ncat | cat\n"
    with Bench(scripts(tmp_path, waiting, waiting)) as bench:
        done = bench.osbackup(stdin=None)
    assert (done.status, done.ending) == (None, "waits")


@pytest.mark.parametrize("missing", ["objectstore/bin/osrestore", "databases/small.db"])
def test_incomplete_installation_is_no_difference(tmp_path: Path, missing: str) -> None:
    """It is an error: if no scenario can be run, nothing is known about the utilities."""
    scripts(tmp_path, "#!/bin/sh\n", "#!/bin/sh\n")
    (tmp_path / missing).unlink()
    with pytest.raises(ValueError, match=r"two databases|no osrestore"):
        installation(str(tmp_path / "objectstore"), str(tmp_path / "databases"))
