"""docs/fleet.md shows the driver's output as it is."""

from __future__ import annotations

import datetime
import time
from concurrent.futures import Future
from typing import TYPE_CHECKING

from documents import block
from fleets import result, spec

from csf_backup_plugin.cli.fleet_report import outcome
from csf_backup_plugin.cli.fleet_table import table
from csf_backup_plugin.fleet.driver import Driven
from csf_backup_plugin.fleet.driver.job import JobResult
from csf_backup_plugin.fleet.driver.loop import NOT_KNOWN, Running, State
from csf_backup_plugin.fleet.driver.request import FleetRequest
from csf_backup_plugin.fleet.file import Fleet

if TYPE_CHECKING:
    import pytest


def test_the_table_is_shown_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """The terminal has 80 columns."""
    monkeypatch.setattr(time, "monotonic", lambda: 1000.0)
    since = {("lib", "db1"): 760, ("accounts", "db2"): 185, ("maps", "db3"): 7}
    running = [Running(spec(*names), Future(), 1000.0 - ago) for names, ago in since.items()]
    ended = [*[result("x")] * 12, result("y", 40)]
    lines = table("rotate", State(ended, running, 4, is_stopping=False), 80, 24)
    assert "\n".join([*lines, ""]) == block("fleet table")


def test_the_mail_is_shown_as_it_is() -> None:
    """It has a line for each job that was not done."""
    failed = JobResult("lib", 11, None, "/backup1 on db1 has no room for the image")
    lost = f"the executor has failed (BrokenProcessPool: a worker died); {NOT_KNOWN}"
    unknown = JobResult("maps", None, None, lost)
    jobs = [(spec("lib", "db1"), failed), (spec("maps", "db3"), unknown)]
    jobs += [(spec(str(number)), result(str(number))) for number in range(18)]
    at = datetime.datetime(2026, 11, 30)
    request = FleetRequest(Fleet("/etc/csf/fleet.ini", ()), "rotate", (), 8, None, 1.0, at)
    told = outcome(Driven(request, jobs, 1802.4)).sentences
    assert "\n".join([*told, ""]) == block("fleet mail")
