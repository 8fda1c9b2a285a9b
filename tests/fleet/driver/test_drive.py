"""A driver from start to end, and what it leaves behind."""

from __future__ import annotations

import dataclasses
import datetime
import os
import sys
import tempfile
from concurrent.futures import Executor
from typing import TYPE_CHECKING

import pytest
from fleets import Desk, Script, spec, written

from csf_backup_plugin.cancellation import Cancellation
from csf_backup_plugin.fleet import driver
from csf_backup_plugin.fleet.driver import Driven, drive, loop, planned
from csf_backup_plugin.fleet.driver.request import FleetRequest
from csf_backup_plugin.fleet.file import Fleet, read_fleet

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from csf_backup_plugin.fleet.driver.loop import State

REQUEST = FleetRequest(
    Fleet("/etc/fleet", ()), "rotate", (), 8, None, 1.0, datetime.datetime(2026, 11, 30)
)


class Bench:
    """An executor that the test controls, and a directory for temporary files.

    Args:
        directory: that one.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.desk = Desk()

    def drive(self, step: Callable[[State], object], limit: float = 60.0) -> Driven:
        """Drive one job, with a step of the test once it has started."""
        job = spec("lib")._replace(limit=limit)
        return drive(REQUEST, [job], Script(step), Cancellation())


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    """Return a driver's surroundings."""
    made = Bench(tmp_path)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(loop, "_POLL", 0.001)
    monkeypatch.setattr(loop, "MARGIN", 0.0)

    def executor(*_: object) -> Executor:
        return made.desk

    monkeypatch.setattr(driver, "executor_of", executor)
    return made


def test_nothing_is_left_of_a_driver(bench: Bench) -> None:
    """Its executor has ended and is closed."""
    driven = bench.drive(lambda _: bench.desk.end("lib", 30))
    assert [(one.name, found.exit_code) for one, found in driven.jobs] == [("lib", 30)]
    assert (driven.stopped, driven.warnings) == (None, ())
    assert os.listdir(bench.directory) == []
    assert bench.desk.closed == [True]


def test_a_job_that_may_still_begin_can_be_stopped_then(bench: Bench) -> None:
    """The directory in which it looks for that stays, and nobody waits for the job."""
    driven = bench.drive(lambda _: None, limit=0.0)
    assert [found.exit_code for _, found in driven.jobs] == [None]
    assert len(os.listdir(bench.directory)) == 1
    assert bench.desk.closed == [False]


@pytest.mark.parametrize(
    ("state", "slots"), [("/var/lib/csf", "/var/lib/csf/logins"), ("relative", None)]
)
def test_jobs_share_their_logins(tmp_path: Path, state: str, slots: str | None) -> None:
    """The directory for that may be missing; each job then warns."""
    sections = {"lib": {"database": "localhost:/r/lib.db", "image-dirs": "/b"}}
    fleet = read_fleet(written(tmp_path / "fleet", sections))
    request = dataclasses.replace(REQUEST, fleet=fleet)
    environ = {"CSF_BACKUP_STATE_DIR": state}
    (job,) = planned(request, sys.executable, environ, Cancellation())
    assert job.lanes == ("host localhost", "disk localhost:/b")
    assert job.program == sys.executable
    assert dict(job.environment).get("CSF_BACKUP_LOGIN_SLOTS") == slots
