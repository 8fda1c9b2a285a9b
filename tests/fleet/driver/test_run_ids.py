"""A job's id is the same when it is repeated, and another one when it is due again."""

from __future__ import annotations

import datetime
import itertools
import os

import pytest

from csf_backup_plugin.fleet.driver.run_ids import run_id, slot_of

AT = datetime.datetime(2026, 11, 30, 13, 59, 59)


@pytest.mark.parametrize(
    ("every", "slot"),
    [
        (None, "2026-11-30"),
        (86400.0, "2026-11-30"),
        (604800.0, "2026-11-30"),
        (6 * 3600.0, "2026-11-30T12:00:00"),
        (3600.0, "2026-11-30T13:00:00"),
        (60.0, "2026-11-30T13:59:00"),
    ],
)
def test_a_slot_is_the_part_of_the_day_in_which_a_job_is_due(
    every: float | None, slot: str
) -> None:
    """A job that is due several times a day has as many slots."""
    assert slot_of(AT, every) == slot


def test_an_id_tells_jobs_apart_and_fits() -> None:
    """It is made from fleet, name, action and slot.

    Bytes that are no text are distinguished, too.
    """
    made = {
        run_id(*names)
        for names in itertools.product(
            ("/etc/fleet", "/etc/other"),
            ("lib", os.fsdecode(b"\xff")),
            ("rotate", "verify"),
            ("2026-11-30", "2026-12-01"),
        )
    }
    assert len(made) == 16
    assert run_id("/etc/fleet", "lib", "rotate", "2026-11-30") in made
    assert sum(one.startswith("2026-11-30-rotate-") for one in made) == 4
    assert all(len(one) <= 100 for one in made)
