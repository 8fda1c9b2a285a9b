"""admin_database_schedule -fleet as csf runs it."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import pytest

from csf_backup_plugin.exit_codes import ExitCode

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Place, Tools

    Csf = Callable[..., tuple[int, str, str]]


@pytest.fixture
def schedule(csf: Csf, place: Place, tools: Tools, monkeypatch: pytest.MonkeyPatch) -> Csf:
    """Return a function that runs the command as a separate csf, for a fleet of two hosts."""
    tools.write("csf", "exit 1")
    monkeypatch.setattr(sys, "argv", [str(tools.directory / "csf")])
    path = place.images.parent / "fleet.ini"
    path.write_text(
        f"[lib]\ndatabase = db1:{place.master}\nimage-dirs = {place.images}\n"
        f"[maps]\ndatabase = db2:{place.master}\nimage-dirs = {place.images}\n"
    )
    return lambda *options: csf("admin_database_schedule", "-fleet", str(path), *options)


def test_a_host_has_the_lines_of_its_own_repositories(schedule: Csf, place: Place) -> None:
    """The host is this machine, by whatever name the file has."""
    code, out, err = schedule("-host", "db1", "-format", "cron")
    assert (code, out.count("admin_database_rotate")) == (ExitCode.DONE, 1)
    assert f" -database {place.master} -image-dir localhost:{place.images} " in out
    assert "warning: [lib] no drill is scheduled" in err
    document = json.loads(schedule("-host", "db2", "-format", "cron.d", "-json")[1])
    assert document["hour"] == 4
    two = schedule("-only", "lib", "-only", "maps", "-host", "db1", "-format", "cron")
    assert two[1].count("admin_database_rotate") == 1


def test_a_control_host_has_lines_for_all(schedule: Csf) -> None:
    """They start at the time that the user gives."""
    code, out, _ = schedule("-format", "cron", "-at", "05:07", "-only", "maps")
    assert code == ExitCode.DONE
    (line,) = (one for one in out.splitlines() if one.endswith(" rotate"))
    assert line.startswith("7 5 * * * ")
    assert line.endswith("/fleet.ini -only maps -quiet rotate")


def test_a_document_of_several_has_no_one_time(schedule: Csf, place: Place) -> None:
    """Each line has its own."""
    path = place.images.parent / "fleet.ini"
    path.write_text(path.read_text().replace("db2:", "db1:").replace("lib.db\nimage", "x\nimage"))
    (place.repository / "x").write_bytes(b"x")
    text = path.read_text().replace(f"db1:{place.repository}/x", f"db1:{place.master}", 1)
    path.write_text(text)
    found = json.loads(schedule("-host", "db1", "-format", "cron", "-json")[1])
    assert (found["hour"], found["minute"], len(found["files"])) == (None, None, 1)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (
            ["-keep-dated", "4"],
            "-keep-dated and -fleet were given: the fleet file already says that",
        ),
        (["-dated-day", "sunday"], "-dated-day and -fleet were given"),
        (["-database", "/d/lib.db"], "-database and -fleet were given"),
        (["-host", "db1", "-at", "04:15"], "-at and -host were given"),
        (["-at", "noon"], "-at 'noon' is not a time of the day"),
        (["-host", "db3"], "has no repository on db3"),
        (["-only", "lip"], "has no section [lip]"),
    ],
)
def test_what_has_no_meaning_is_refused(schedule: Csf, options: list[str], said: str) -> None:
    """Standard output, which may be a file, stays empty."""
    code, out, err = schedule("-format", "cron", *options)
    assert (code, out, said in err) == (ExitCode.USAGE, "", True)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["-database", "/d/lib.db"], "Missing option -image-dir, or -fleet."),
        (["-image-dir", "localhost:/b"], "Missing option -database, or -fleet."),
        (["-database", "/d", "-image-dir", "l:/b", "-host", "db1"], "-host has no meaning without"),
    ],
)
def test_without_a_file_all_must_be_named(csf: Csf, options: list[str], said: str) -> None:
    """The options are those of a schedule without a fleet."""
    code, out, err = csf("admin_database_schedule", "-format", "cron", *options)
    assert (code, out, said in err) == (ExitCode.USAGE, "", True)
