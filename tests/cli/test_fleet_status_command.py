"""admin_database_status -fleet as csf runs it: one table, one document, one line, one page."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import pytest
from prometheus_client.parser import text_string_to_metric_families

from csf_backup_plugin.attempts.reading import Attempt
from csf_backup_plugin.cli.fleet_status_report import outcome
from csf_backup_plugin.cli.fleet_status_table import table
from csf_backup_plugin.errors import HostUnreachable
from csf_backup_plugin.exit_codes import ExitCode
from csf_backup_plugin.fleet.status import FleetStatus, Row
from csf_backup_plugin.image.check_record import Check
from csf_backup_plugin.image.path import ImagePath
from csf_backup_plugin.operations.status import Status, Unreached
from csf_backup_plugin.operations.status.health import Health, SetState

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Place, Tools

    Csf = Callable[..., tuple[int, str, str]]

pytestmark = pytest.mark.usefixtures("tools")

STARTED = "2026-11-23T02:10:00+00:00"
AWAY = HostUnreachable("db9 has not answered within 10 s.", "Look at it.")


@pytest.fixture
def fleet(place: Place, csf: Csf) -> str:
    """Return a fleet file of a repository that was backed up."""
    words = ("-database", place.master, "-image-dir", f"localhost:{place.images}")
    assert csf("admin_database_rotate", *words, "-every", "24h")[0] == 0
    path = place.images.parent / "fleet.ini"
    path.write_text(
        f"[lib]\ndatabase = localhost:{place.master}\nimage-dirs = {place.images}\n"
        "max-drill-age = none\n"
    )
    return str(path)


@pytest.fixture
def status(csf: Csf, fleet: str) -> Csf:
    """Return a function that runs the command on the fleet."""
    return lambda *options: csf("admin_database_status", "-fleet", fleet, *options)


def add(fleet: str, text: str) -> None:
    """Add lines to a fleet file."""
    with Path(fleet).open("a") as file:
        file.write(text)


def test_all_is_well_in_every_form(status: Csf, fleet: str, place: Place) -> None:
    """The exit code is 0, and -quiet prints nothing."""
    code, out, err = status()
    assert (code, err) == (0, "")
    assert out.startswith(f"1 repository of {fleet}: 1 OK\n\nREPOSITORY  STATE  AGE ")
    assert status("-quiet")[:2] == (0, "")
    (one,) = json.loads(status("-json")[1])["repositories"]
    assert (one["name"], one["state"], one["master"]) == ("lib", "ok", place.master)
    code, out, _ = status("-format", "nagios")
    assert (code, out.startswith("BACKUP OK - 1 of a fleet; the oldest, lib: ")) == (0, True)
    assert "| 'lib age'=" in out
    assert states(status("-format", "prometheus")[1]) == {"lib": 0.0}


def states(page: str) -> dict[str, float]:
    """Return the state of each repository on a page."""
    return {
        sample.labels["name"]: sample.value
        for family in text_string_to_metric_families(page)
        for sample in family.samples
        if sample.name == "csf_backup_fleet_repository_state"
    }


def test_a_host_without_an_answer_costs_its_own_rows_only(
    status: Csf, fleet: str, tools: Tools, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All repositories of a host share one login."""
    tools.write("away", 'echo "$*" >> "$0.calls"; echo "ssh: connect: timed out" >&2; exit 255')
    monkeypatch.setenv("CSF_BACKUP_SSH", str(tools.directory / "away"))
    for name in ("maps", "keys"):
        add(fleet, f"[{name}]\ndatabase = db9:/databases/{name}.db\nimage-dirs = /b\n")
    code, out, _ = status("-jobs", "2")
    assert code == ExitCode.HOST_UNREACHABLE
    rows = [line.split() for line in out.split("\n\n")[1].splitlines()]
    assert [row[:2] for row in rows[1:]] == [
        ["maps", "UNREACHED"],
        ["keys", "UNREACHED"],
        ["lib", "OK"],
    ]
    assert "maps: /databases/maps.db on db9\n  ! Host db9 cannot be reached: ssh: connect: " in out
    assert len((tools.directory / "away.calls").read_text().splitlines()) == 1
    assert status("-only", "lib")[0] == 0
    document = json.loads(status("-json")[1])
    assert document["repositories"][0] == {
        "name": "maps",
        "state": "unreached",
        "host": "db9",
        "master": "/databases/maps.db",
    }
    page = status("-format", "prometheus")[1]
    assert states(page) == {"maps": 2.0, "keys": 2.0, "lib": 0.0}


def test_images_that_no_section_names_are_a_warning(status: Csf, fleet: str, place: Place) -> None:
    """The warning is on standard error, beside the table."""
    text = Path(fleet).read_text().replace(place.master, "/databases/other.db")
    Path(fleet).write_text(text)
    code, out, err = status()
    assert code == ExitCode.STALE
    assert "lib         STALE  -" in out
    assert err.startswith(f"warning: there are images of {place.master} on localhost, which no ")


def test_copies_of_another_repository_are_no_warning(
    csf: Csf, status: Csf, fleet: str, place: Place
) -> None:
    """They may be in a section's directories; the section's row does not count them."""
    copies = place.images.parent / "copies"
    copies.mkdir()
    words = ("-image-file", f"localhost:{place.images}/latest", "-to", f"localhost:{copies}")
    assert csf("admin_database_copy", *words)[0] == ExitCode.DONE
    Path(fleet).write_text(f"[new]\ndatabase = localhost:/d/new.db\nimage-dirs = {copies}\n")
    code, out, err = status()
    assert (code, err) == (ExitCode.STALE, "")
    assert "new         STALE  -" in out


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["-fleet", "{fleet}", "-image-dir", "localhost:/b"], "-image-dir and -fleet were given"),
        (["-fleet", "{fleet}", "-database", "localhost:/d"], "-database and -fleet were given"),
        (["-image-dir", "localhost:/b", "-only", "lib"], "-only has no meaning without -fleet"),
        (["-image-dir", "localhost:/b", "-jobs", "2"], "-jobs has no meaning without -fleet"),
        (["-fleet", "{fleet}", "-only", "lip"], "has no section [lip]"),
        (["-fleet", "/nowhere.ini"], "The fleet file /nowhere.ini cannot be read"),
        (["-fleet", "{fleet}", "-jobs", "9"], "9 is not in the range 1<=x<=8"),
        ([], "Missing option -image-dir, or -fleet."),
    ],
)
def test_what_has_no_meaning_is_refused(
    csf: Csf, fleet: str, options: list[str], said: str
) -> None:
    """Nagios has a separate state for that."""
    words = [word.format(fleet=fleet) for word in options]
    code, out, err = csf("admin_database_status", *words)
    assert (code, out, said in err) == (ExitCode.USAGE, "", True)
    code, out, _ = csf("admin_database_status", *words, "-format", "nagios")
    assert (code, said in out) == (3, True)


def test_a_rehearsal_is_of_the_first_repository(status: Csf) -> None:
    """Nothing is examined."""
    code, out, _ = status("-rehearse")
    assert (code, out.startswith("Rehearsal: nothing has failed")) == (0, True)


def a_set(**others: Any) -> SetState:
    """Return one set, an hour old."""
    facts: dict[str, Any] = {
        "image": ImagePath("db1", "/b/monday/a.img"),
        "place": "monday",
        "number": 7,
        "started": STARTED,
        "age": 3600.0,
        "size": 1000,
        "databases": 2,
        "verified": None,
        "drilled": None,
        "faults": (),
    }
    return SetState(**{**facts, **others})


def fleet_of(*healths: Health, unread: tuple[str, ...] = ()) -> FleetStatus:
    """Return the status of a fleet with some repositories."""
    rows = [Row(one.name, one.host, one.master, one) for one in healths]
    return FleetStatus("/etc/csf/fleet.ini", rows, Status(healths, [], [], unread))


def health(name: str = "lib", **others: Any) -> Health:
    """Return the health of a repository."""
    facts: dict[str, Any] = {"sets": [a_set()], "limits": (108000.0, None), "name": name}
    return Health("1" * 32, "db1", "db1", "/r/lib.db", **{**facts, **others})


def cells(**others: Any) -> list[str]:
    """Return the cells of a repository's row."""
    lines = table(fleet_of(health(**others))).split("\n\n")[1].splitlines()
    starts = [lines[0].index(word) for word in lines[0].split()]
    return [
        lines[1][start:end].strip() for start, end in zip(starts, [*starts[1:], None], strict=True)
    ]


SOUND = Check(is_sound=True, at="2026-11-22T03:10:00+00:00", seconds=754.0)
FAILED = Check(is_sound=False, at="2026-11-22T03:10:00+00:00", seconds=None)


@pytest.mark.parametrize(
    ("others", "expected"),
    [
        ({}, ["OK", "60 min", "-", "-", "-", ""]),
        (
            {"sets": [a_set(), a_set(verified=SOUND, drilled=SOUND)]},
            ["OK", "60 min", "24 h", "24 h", "13 min", ""],
        ),
        ({"sets": [a_set(verified=FAILED)]}, ["OK", "60 min", "FAILED", "-", "-", ""]),
        ({"sets": [a_set(age=-1e6)]}, ["OK", "future", "-", "-", "-", ""]),
        (
            {"sets": [a_set(drilled=SOUND._replace(seconds=None))]},
            ["OK", "60 min", "-", "24 h", "-", ""],
        ),
        ({"sets": [], "stale": ["x"]}, ["STALE", "-", "-", "-", "-", "no backup"]),
        ({"faults": ["x"], "stale": ["y"]}, ["FAULT", "60 min", "-", "-", "-", "a fault, +1"]),
        (
            {"sets": [a_set(age=2e5)], "stale": ["x"]},
            ["STALE", "2 d", "-", "-", "-", "too old"],
        ),
        (
            {"limits": (None, 1.0), "stale": ["x"]},
            ["STALE", "60 min", "-", "-", "-", "never drilled"],
        ),
        (
            {"sets": [a_set(drilled=SOUND)], "limits": (None, 3600.0), "stale": ["x"]},
            ["STALE", "60 min", "-", "24 h", "13 min", "drill too old"],
        ),
        ({"room": {"/b": 2}, "stale": ["x"]}, ["STALE", "60 min", "-", "-", "-", "little room"]),
        ({"room": {"/b": 3}, "stale": ["x"]}, ["STALE", "60 min", "-", "-", "-", "see below"]),
    ],
)
def test_a_row_tells_in_short(others: dict[str, Any], expected: list[str]) -> None:
    """The worst problem comes first, with the number of the others."""
    assert cells(**others) == ["lib", *expected]


def test_no_row_is_wider_than_80_columns() -> None:
    """A long name is cut in the table, and complete below it."""
    name = "the repository of all maps of the north"
    facts: dict[str, Any] = {
        "name": name,
        "sets": [a_set(age=-1e6, verified=FAILED, drilled=SOUND)],
        "faults": ["x"] * 9999,
    }
    row = Row("far", "db9", "/r/far.db", None, AWAY)
    found = fleet_of(health(**facts))
    text = table(found._replace(rows=[*found.rows, row]))
    lines = text.split("\n\n")[1].splitlines()
    assert max(map(len, lines)) <= 80
    assert lines[1].startswith("the repositor...  FAULT      future  FAILED")
    assert f"\n\n{name}: /r/lib.db on db1\n  ! x\n" in text


def test_below_the_table_all_is_reported() -> None:
    """Repositories without problems are left out."""
    last = Attempt("b", "admin_database_rotate", "m", "u", 1, STARTED, outcome="killed")
    found = fleet_of(
        health(),
        health("maps", stale=["old"], notes=["odd"], attempts=[last]),
        unread=("db1:/c cannot be read", "old"),
    )
    assert table(found).split("\n\n")[2:] == [
        "maps: /r/lib.db on db1\n  ! old\n  - odd\n"
        f"  The last attempt, of {STARTED}: killed.\n"
        "  1 attempt since the last that made a set.",
        "UNREAD db1:/c cannot be read",
    ]


def test_a_state_is_coloured_only_if_asked_for() -> None:
    """The rest of the text is the same."""
    found = fleet_of(health(), health("maps", stale=["old"]))
    plain, coloured = table(found), table(found, in_colour=True)
    assert "\x1b[33m\x1b[1mSTALE\x1b[0m" in coloured
    assert click.unstyle(coloured) == plain


def test_nagios_is_told_by_names() -> None:
    """It gets the worst ten, in one line."""
    healths = [health(f"r{number}", stale=["old"]) for number in range(12)]
    found = fleet_of(*healths)
    away = found.status._replace(unreached=[Unreached("db9", AWAY)])
    text = outcome(found._replace(status=away), "nagios", in_colour=False)
    assert isinstance(text.output, str)
    assert (text.code, text.output.startswith("BACKUP CRITICAL - r0: old; r1: old; ")) == (2, True)
    assert "r9: old; and 3 more (-json lists them all) | 'r0 age'=3600s;" in text.output
