"""Two weeks without a person: each fault is reported, and nothing else is."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest
from faked_clock import faked_clock
from promtool import check_firing
from small_disks import small_disks
from unattended import DISKS, FIRST, STATUS, Day, Unattended

if TYPE_CHECKING:
    from collections.abc import Iterator

    from unattended import Fault, Ran

    from csf_simulator.simulator import Simulator

DOCUMENT = Path(__file__).parents[2] / "docs" / "monitoring.md"
FIRST_DAY = datetime.date(2026, 11, 1)  # a Sunday
NIGHTS = range(1, 15)
LATE = ("CsfBackupTooOld", "CsfBackupStale")
FAILED, STALE, FAULT = "CsfBackupLastAttemptFailed", "CsfBackupStale", "CsfBackupFault"


class Told(NamedTuple):
    """What each channel has told of a repository on a day.

    Attributes:
        mail: when the first mail has come.
        hook: when plugin and program were first told of an exit code that is not 0, or a warning.
        status: when the status has told something; it is a mail, too.
    """

    mail: str = ""
    hook: str = ""
    status: str = ""


class Night(NamedTuple):
    """A fault, and how it is told.

    Attributes:
        repository: which has it; the other one has none.
        fault: what befalls it.
        title: the same in words.
        told: when it is told.
        says: what the first mail says, and the status; parts of sentences.
        alerts: which fire at noon.
    """

    repository: str
    fault: Fault
    title: str
    told: Told
    says: tuple[str, str]
    alerts: tuple[str, ...]


FAULTS = {
    3: Night(
        *("lib", Unattended.osbackup_fails, "osbackup fails"),
        Told("04:10", "04:10", "11:10"),
        ("Error: osbackup failed on localhost", " is 31 h old, and may be 30 h: "),
        (*LATE, FAILED),
    ),
    4: Night(
        *("shop", Unattended.disk_is_full, "one of two disks is full"),
        Told("04:40", "04:40", "11:40"),
        ("warning: no backup to /shop/disk1: ", "/shop/disk1 has room for 0 more sets"),
        (STALE, "CsfBackupRoomRunsOut"),
    ),
    5: Night(
        *("lib", Unattended.disk_is_away, "one of two disks is not mounted"),
        Told("04:10", "04:10", "11:10"),
        ("/lib/disk1 was on the file system mounted at", "its disk is not mounted"),
        (STALE, FAILED),
    ),
    6: Night(
        *("shop", Unattended.clock_is_ahead, "the clock is a year ahead"),
        Told("08:40", "08:40", "11:40"),
        (" which is in the future: ", " says that its backup began in the future"),
        (FAULT, FAILED, "CsfBackupClockWrong"),
    ),
    7: Night(
        *("lib", Unattended.csf_is_killed, "csf is killed, osbackup goes on"),
        Told("08:10", "04:40", "11:10"),
        (" has no receipt: its backup is running, or did not end well", ": killed."),
        (*LATE, FAILED),
    ),
    8: Night(
        *("shop", Unattended.database_is_corrupt, "a corrupt database is saved; the drill fails"),
        Told("04:40", "04:40", "11:40"),
        ("/shop/disk1/dated/shop-2026-11-08-", "the last drill of localhost:/shop/disk1/dated/"),
        (FAULT, "CsfBackupDeletionsWithheld"),
    ),
    9: Night(
        *("lib", Unattended.database_is_missing, "a database of the manifest is missing"),
        Told("04:10", "04:10", "11:10"),
        ("are in the manifest and not on disk: /databases/lib/Class1.db", ": refused (13). "),
        (*LATE, FAILED),
    ),
    10: Night(
        *("shop", Unattended.both_are_killed, "csf and osbackup are killed"),
        Told("06:40", "06:10", "11:40"),
        (" has no receipt: its backup is running, or did not end well", ": killed."),
        (*LATE, FAILED),
    ),
    14: Night(
        *("lib", Unattended.image_is_damaged, "an image is damaged after its proof"),
        Told("06:10", "06:10", "11:10"),
        ("the image's SHA-256 is ", "the last verification of localhost:/lib/disk1/saturday/"),
        (FAULT, FAILED),
    ),
}
# What the mail of a later rotation warns about, because of an earlier fault.
AFTERWARDS = {
    (7, "shop"): "warning: localhost:/shop/disk2/saturday/shop-2027-11-06-",
    (9, "shop"): "warning: localhost:/shop/disk2/saturday/shop-2027-11-06-",
}


@pytest.fixture
def machine(tmp_path: Path, namespace: list[str], simulator: Simulator) -> Iterator[Unattended]:
    """Return the machine."""
    at = [tmp_path / name / disk for name in FIRST for disk in DISKS]
    with faked_clock("UTC") as clock, small_disks(namespace, *at) as disks:
        yield Unattended(simulator, clock, tmp_path, disks)


def is_mailed(ran: Ran) -> bool:
    """Tell whether csf has printed anything; a shell may print that csf was killed."""
    return ran.mail.strip() not in ("", "Killed")


def is_of(name: str, outcome: dict[str, object]) -> bool:
    """Tell whether an outcome belongs to a repository."""
    return any(f"/{name}/" in str(outcome[key]) for key in ("database", "image_dirs"))


def told_of(name: str, day: Day) -> Told:
    """Return when each channel first reported a fault of a repository."""
    own = [one for one in day.ran if one.job.owner == name]
    mails = [one.job for one in own if is_mailed(one)]
    hooks = [
        one.job
        for one in day.ran
        for outcome in one.outcomes
        if (outcome["exit_code"], outcome["warnings"]) != (0, 0) and is_of(name, outcome)
    ]
    statuses = [one.job for one in own if one.job.kind == STATUS and one.mail]
    return Told(*(f"{jobs[0].at:%H:%M}" if jobs else "" for jobs in (mails, hooks, statuses)))


def check(night: Night, day: Day) -> None:
    """Check that each channel reports the fault, at its time and in its words."""
    assert told_of(night.repository, day) == night.told
    own = [one for one in day.ran if one.job.owner == night.repository]
    first = next(one for one in own if is_mailed(one))
    assert night.says[0] in first.mail
    (status,) = (one for one in own if one.job.kind == STATUS)
    assert night.says[1] in status.mail


def check_quiet(name: str, day: Day, afterwards: str = "") -> None:
    """Check that nothing is wrong with a repository, and that nothing is reported.

    Args:
        name: the repository's.
        day: the day.
        afterwards: what the rotation's mail says of an earlier fault; nothing as a rule.
    """
    rotation = FIRST[name] if afterwards else ""
    assert told_of(name, day) == Told(mail=rotation, hook=rotation)
    assert afterwards in "".join(one.mail for one in day.ran)


def check_everybody_was_told(day: Day) -> None:
    """Check that plugin and program got the outcome of each attempt in the ledger.

    A killed attempt cannot report its end: the next one does, of whichever repository it is.
    """
    commands = [outcome["command"] for one in day.ran for outcome in one.outcomes]
    jobs = [f"admin_database_{one.job.kind}" for one in day.ran if one.job.kind != STATUS]
    assert sorted(commands) == sorted(jobs)
    assert "the plugin " not in "".join(one.mail for one in day.ran)
    assert "the program " not in "".join(one.mail for one in day.ran)


def page_of(name: str, day: Day) -> str:
    """Return the samples at noon, without those of the other repository."""
    (other,) = FIRST.keys() - {name}
    return "".join(line for line in day.page.splitlines(keepends=True) if f"/{other}/" not in line)


def table() -> str:
    """Return how each fault is reported, as the document shows it."""
    rows = [
        f"| night {number} | {one.title} | {' | '.join(at or '-' for at in one.told)} | "
        f"{', '.join(f'`{alert}`' for alert in one.alerts)} |"
        for number, one in FAULTS.items()
    ]
    head = "| | fault | mail | hook | status | alerts at noon |\n|---|---|---|---|---|---|"
    return "\n".join([head, *rows, ""])


def counts(days: dict[int, Day]) -> str:
    """Return how often each channel reported something, and how often it did so without need."""
    struck = {(number, one.repository) for number, one in FAULTS.items()}
    quiet = {(number, name) for number in days for name in FIRST} - struck
    times = zip(*(one.told for one in FAULTS.values()), strict=True)
    told = [
        f"{sum(map(bool, at))} by {channel}"
        for channel, at in zip(Told._fields, times, strict=True)
    ]
    told.append(f"{sum(bool(one.alerts) for one in FAULTS.values())} by alerts")
    ran = [one for day in days.values() for one in day.ran]
    mails = [one for one in ran if is_mailed(one)]
    return (
        f"{len(FAULTS)} faults are told: {', '.join(told)}.\n"
        f"{len(quiet)} other nights: {len(AFTERWARDS)} mails tell of an earlier fault, and "
        "0 of nothing.\n"
        f"{len(mails)} mails; {sum(len(one.outcomes) for one in ran)} calls of each hook.\n"
    )


@pytest.mark.timeout(600)
def test_each_fault_is_reported_on_its_night_and_nothing_else_is(
    machine: Unattended, tmp_path: Path
) -> None:
    """Cron's mail, the hooks, the status and the alerts report it.

    The other repository is unaffected.
    """
    days, pages = dict[int, Day](), dict[str, str]()
    for number in NIGHTS:
        night = FAULTS.get(number)
        struck = night.repository if night else ""
        date = FIRST_DAY + datetime.timedelta(days=number - 1)
        day = days[number] = machine.live(date, struck, night.fault if night else None)
        if night:
            check(night, day)
        for name in FIRST.keys() - {struck}:
            check_quiet(name, day, AFTERWARDS.get((number, name), ""))
        check_everybody_was_told(day)
        pages |= {f"{number} {name}": page_of(name, day) for name in FIRST}
    alerts = {f"{number} {one.repository}": one.alerts for number, one in FAULTS.items()}
    check_firing(pages, {**dict.fromkeys(pages, ()), **alerts}, tmp_path / "alerts.json")
    print(table(), counts(days), sep="\n")


def test_the_document_has_the_table() -> None:
    """The table in the document is what the two weeks gave."""
    assert table() in DOCUMENT.read_text()
