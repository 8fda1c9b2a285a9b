"""One exit code for all jobs, and the messages about them."""

from __future__ import annotations

import datetime
import signal

import pytest
from fleets import result, spec

from csf_backup_plugin.errors import Interrupted
from csf_backup_plugin.fleet.driver import Driven
from csf_backup_plugin.fleet.driver.job import NOT_STARTED
from csf_backup_plugin.fleet.driver.request import FleetRequest
from csf_backup_plugin.fleet.driver.verdict import problem
from csf_backup_plugin.fleet.file import Fleet

REQUEST = FleetRequest(
    Fleet("/etc/fleet", ()), "rotate", (), 8, None, 1.0, datetime.datetime(2026, 11, 30)
)


def driven(*codes: int | None, untouched: int = 0, stopped: Interrupted | None = None) -> Driven:
    """Return jobs that have ended with these exit codes, or with an unknown end."""
    jobs = [(spec(str(at)), result(str(at), code)) for at, code in enumerate(codes)]
    rest = [(spec(f"{at}."), result(f"{at}.", None, NOT_STARTED)) for at in range(untouched)]
    return Driven(REQUEST, [*jobs, *rest], 1.0, stopped)


@pytest.mark.parametrize(
    ("codes", "code"),
    [
        ((0, 0), 0),
        ((), 0),
        ((0, 30, 30), 30),
        ((71,), 71),
        ((30, 40), 80),
        ((0, None), 1),
        ((None, 1), 1),
        ((None, 30), 80),
    ],
)
def test_failures_share_their_code_or_have_that_of_a_fleet(
    codes: tuple[int | None, ...], code: int
) -> None:
    """An unknown end counts as an unexpected failure."""
    found = problem(driven(*codes))
    assert (found.exit_code if found else 0) == code


def test_it_is_told_what_was_done_all_the_same() -> None:
    """It also says how to find out what is proven."""
    found = problem(driven(0, 30, None, None))
    assert found
    assert found.what == "Jobs that were not done: 3 of 4 (rotate)."
    assert found.left == "Of all 4 jobs: 1 done, 2 not known, which may still run."
    assert "csf admin_database_status -fleet /etc/fleet" in found.next_step


def test_a_signal_counts_before_all_else() -> None:
    """All jobs may have been done when it came."""
    stopped = Interrupted(signal.SIGTERM, "csf")
    found = problem(driven(0, 143, untouched=3, stopped=stopped))
    assert found
    assert found.exit_code == 143
    assert found.left == "Of all 5 jobs: 1 done, 3 not started."
    assert "csf admin_database_status -fleet /etc/fleet" in found.next_step
