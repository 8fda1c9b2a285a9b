"""Nights that fail in different ways, and what a status reports each morning."""

from __future__ import annotations

import datetime
import json
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from faked_clock import faked_clock
from fortnight import FORMS, Fortnight, Told
from prometheus_client.parser import text_string_to_metric_families
from promtool import check_firing
from screens import documented, documented_alerts, screen
from small_disks import small_disks

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from csf_simulator.simulator import Simulator

STALE, FAULT = 70, 50
WARNING, CRITICAL = 1, 2
KILLED = -9
TOLD_WHOLE = (1, *range(9, 15))  # days whose morning is seen in every format
IN_A_YEAR = datetime.timedelta(days=365)


class Morning(NamedTuple):
    """What is expected on a day.

    Attributes:
        night: the rotation's exit code; `KILLED` for none.
        code: the status's exit code.
        nagios: the same for Nagios.
        why: what each format says is wrong; a part of the sentence.
        attempt: what the text says of the last attempt.
        metrics: samples of the page, and their values.
    """

    night: int
    code: int
    nagios: int
    why: str
    attempt: str
    metrics: dict[str, float | None]


EXIT, FAULTS = "last_attempt_exit_code", "faults"
STALES, ROOM, UNPROVEN = "stale", "directory_sets_that_fit", "unproven_images"
QUIET = {EXIT: 0, FAULTS: 0, STALES: 0, UNPROVEN: 0}
FAILED = "failed (40). osbackup failed on localhost, writing "
MORNINGS = {
    10: Morning(
        *(40, STALE, WARNING, " is 31 h old, and may be 30 h: ", FAILED),
        {EXIT: 40, FAULTS: 0, STALES: 1, UNPROVEN: 0},
    ),
    11: Morning(
        *(40, STALE, WARNING, " is 2 d old, and may be 30 h: ", FAILED),
        {EXIT: 40, FAULTS: 0, STALES: 1, UNPROVEN: 0},
    ),
    12: Morning(
        *(KILLED, STALE, CRITICAL, " is 3 d old, and may be 30 h: ", "killed."),
        {EXIT: 137, FAULTS: 0, STALES: 1, UNPROVEN: 1},
    ),
    13: Morning(
        *(11, STALE, CRITICAL, "/backups has room for 0 more sets", "refused (11). localhost:"),
        {EXIT: 11, FAULTS: 0, STALES: 2, UNPROVEN: 0, ROOM: 0},
    ),
    14: Morning(
        *(0, FAULT, CRITICAL, " says that its backup began in the future, at 2027-11-", ""),
        {EXIT: 0, FAULTS: 1, STALES: 0, UNPROVEN: 0},
    ),
}


def at(day: int, hour: int, minute: int = 0) -> datetime.datetime:
    """Return a time on a day of November 2026; the month begins with a Sunday."""
    return datetime.datetime(2026, 11, day, hour, minute, 1, tzinfo=datetime.timezone.utc)


def samples(page: str) -> dict[str, float]:
    """Return the samples of a page by name, without what all names begin with."""
    families = text_string_to_metric_families(page)
    found = {one.name: one.value for family in families for one in family.samples}
    return {name.removeprefix("csf_backup_"): value for name, value in found.items()}


def repository(told: Told) -> dict[str, Any]:
    """Return what the document says of the one repository."""
    (one,) = json.loads(told.text)["repositories"]
    found: dict[str, Any] = one
    return found


def lived_through(nights: Fortnight) -> Iterator[tuple[int, int, dict[str, Told]]]:
    """Yield for each day how its rotation ended, and what a status reports at nine."""
    for day in range(1, 15):
        moment = at(day, 2, 10)
        if day == 10:
            nights.let_osbackup_fail()
        elif day == 13:
            nights.fill_disk()
        elif day == 14:
            nights.empty_disk()
            moment += IN_A_YEAR
        code = nights.killed_night(moment) if day == 12 else nights.night(moment)
        yield day, code, nights.status(at(day, 9), FORMS if day in TOLD_WHOLE else ("nagios",))


@pytest.fixture
def nights(tmp_path: Path, namespace: list[str], simulator: Simulator) -> Iterator[Fortnight]:
    """Return the site."""
    with faked_clock("UTC") as clock, small_disks(namespace, tmp_path / "backups") as disk:
        yield Fortnight(simulator, clock, tmp_path, disk)


def check_quiet(code: int, told: dict[str, Told]) -> None:
    """Check that nothing is wrong, and that no format says so."""
    assert code == 0
    assert {form: one.code for form, one in told.items()} == dict.fromkeys(told, 0)
    assert told["nagios"].text.startswith("BACKUP OK - /databases/lib.db: 7 h old | ")
    if "json" in told:
        assert told["text"].text.startswith("OK /databases/lib.db on localhost\n  Work since ")
        assert "attempt" not in told["text"].text
        found = repository(told["json"])
        assert (found["faults"], found["stale"], found["notes"]) == ([], [], [])
        page = samples(told["prometheus"].text)
        assert {name: page[name] for name in QUIET} == QUIET


def check(morning: Morning, code: int, told: dict[str, Told]) -> None:
    """Check that each format says that something is wrong, and what."""
    assert code == morning.night
    codes = (morning.code, morning.code, morning.nagios, 0)
    assert tuple(told[form].code for form in FORMS) == codes
    word = "FAULT" if morning.code == FAULT else "STALE"
    head, *lines = told["text"].text.splitlines()
    assert head == f"{word} /databases/lib.db on localhost"
    assert any(line.startswith("  ! ") and morning.why in line for line in lines)
    if morning.attempt:
        (line,) = [line for line in lines if line.startswith("  The last attempt, of 2026-")]
        assert morning.attempt in line
    found = repository(told["json"])
    assert morning.why in "".join((*found["faults"], *found["stale"]))
    assert morning.why in json.loads(told["json"].text)["error"]
    assert morning.why in told["nagios"].text
    assert morning.attempt in told["nagios"].text
    page = samples(told["prometheus"].text)
    assert {name: page.get(name) for name in morning.metrics} == morning.metrics


def check_early(nights: Fortnight) -> None:
    """Check that a failed night is reported, but is no fault until the newest backup is too old."""
    told = nights.status(at(10, 6), ("text", "nagios", "prometheus"))
    for form in ("text", "nagios"):
        assert (told[form].code, FAILED in told[form].text) == (0, True)
    assert samples(told["prometheus"].text)[EXIT] == 40


@pytest.mark.timeout(600)
def test_each_morning_says_what_is_wrong(nights: Fortnight, tmp_path: Path) -> None:
    """Every format reports the faults as docs/monitoring.md shows, and nothing else."""
    screens, pages = dict[tuple[int, str], str](), dict[str, str]()
    for day, code, told in lived_through(nights):
        if day in MORNINGS:
            check(MORNINGS[day], code, told)
        else:
            check_quiet(code, told)
        if day == 10:
            check_early(nights)
        screens |= {(day, form): screen(form, one.text) for form, one in told.items()}
        pages |= {str(day): one.text for form, one in told.items() if form == "prometheus"}
    shown = documented()
    assert {key: screens[key] for key in shown} == shown
    assert {day for day, _ in shown} >= {9, *MORNINGS} - {11}
    assert {form for _, form in shown} == {*FORMS}
    alerts = documented_alerts()
    assert alerts.keys() == {"9", *map(str, MORNINGS)}
    check_firing({day: pages[day] for day in alerts}, alerts, tmp_path / "alerts.json")
