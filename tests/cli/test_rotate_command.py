"""admin_database_rotate as csf runs it: exit codes, sentences, JSON."""

from __future__ import annotations

import datetime
import json
from typing import TYPE_CHECKING, Any

import pytest

from csf_backup_plugin.exit_codes import ExitCode
from csf_backup_plugin.weekdays import WEEKDAYS

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Place, Tools

    Csf = Callable[..., tuple[int, str, str]]

pytestmark = pytest.mark.usefixtures("tools")

NIGHTS = [f"2026-11-{day}" for day in (22, 23, 30)]


@pytest.fixture
def rotate(csf: Csf, place: Place) -> Callable[..., tuple[int, str, str]]:
    """Return a function that runs the command on the repository and its image directory."""
    words = ("-database", place.master, "-image-dir", f"localhost:{place.images}")
    return lambda *options: csf("admin_database_rotate", *words, *options)


def test_each_set_has_a_line(rotate: Csf) -> None:
    """The line has the decision and its reason; the new set has one, too."""
    for night in NIGHTS:
        code, out, err = rotate("-slot", night, "-run-id", night)
        assert (code, out) == (ExitCode.DONE, "")
    lines = [line for line in err.splitlines() if not line.startswith("warning: ")]
    made, *decided = lines
    assert made.startswith("Backed up 2 databases ")
    assert [line.split()[0] for line in decided] == ["kept", "deleted", "kept"]
    assert decided[0].endswith("all dated sets are kept")
    assert decided[1].endswith("monday has a newer one, backup 3")


def test_a_dry_run_says_what_would_be(rotate: Csf, place: Place) -> None:
    """It includes the rule by which the directory is chosen; nothing is changed."""
    for night in NIGHTS[:2]:
        assert rotate("-slot", night)[0] == 0
    before = place.tree()
    code, _, err = rotate("-slot", NIGHTS[2], "-dry-run")
    assert code == ExitCode.DONE
    assert "There is one image directory, " in err
    assert "Dry run: would back up 2 databases " in err
    assert "\nwould be deleted localhost:" in err
    assert place.tree() == before


def test_a_run_that_has_made_its_set_makes_no_other(rotate: Csf) -> None:
    """It names that set."""
    assert rotate("-run-id", "x")[0] == 0
    code, _, err = rotate("-run-id", "x")
    assert code == 0
    assert "run x has made localhost:" in err
    assert "Backed up" not in err


def facts(result: tuple[int, str, str]) -> dict[str, Any]:
    """Return what a document says."""
    found: dict[str, Any] = json.loads(result[1])
    assert found["exit_code"] == result[0]
    return found


def test_the_document_has_the_plan(rotate: Csf) -> None:
    """It also has the removed sets."""
    for night in NIGHTS[:2]:
        rotate("-slot", night)
    said = facts(rotate("-slot", NIGHTS[2], "-run-id", "y", "-json"))
    assert (said["place"], said["slot"], said["run_id"]) == ("monday", NIGHTS[2], "y")
    assert [one["keep"] for one in said["plan"]] == [True, False, True]
    assert said["removed"] == [said["plan"][1]["image"]]
    assert (said["made_now"], said["withheld"], said["drilled"]) == (True, [], False)
    again = facts(rotate("-run-id", "y", "-json"))
    assert (again["made_now"], again["image"]) == (False, said["image"])


def test_what_is_withheld_is_reported_after_the_backup(rotate: Csf) -> None:
    """More than two dated sets are removed only with -yes."""
    today = datetime.date.today()  # a slot that is far from its start counts in no bucket
    days = [today - datetime.timedelta(days=age) for age in (4, 3, 2, 1, 0)]
    dated = [("-slot", str(day), "-dated-day", WEEKDAYS[day.weekday()]) for day in days]
    for options in dated[:4]:
        assert rotate(*options)[0] == 0
    last = (*dated[4], "-keep-dated", "1")
    code, _, err = rotate(*last)
    assert code == ExitCode.WITHHELD
    assert "\nError: The new backup is proven: localhost:" in err
    assert "4 dated sets would be removed, which is more than 2: " in err
    assert err.count("\nnot deleted localhost:") == 4
    said = facts(rotate(*last, "-json"))
    assert said["error"].startswith("The new backup is proven: ")
    assert len(said["withheld"]) == 1
    code, _, err = rotate(*last, "-yes")
    assert (code, err.count("\ndeleted localhost:")) == (0, 6)


def test_sets_that_no_rotation_has_made_are_reported_and_kept(
    rotate: Csf, csf: Csf, place: Place
) -> None:
    """Each has a line."""
    image = ("-image-file", f"localhost:{place.image}")
    assert csf("admin_database_backup", "-database", place.master, *image)[0] == 0
    _, _, err = rotate()
    assert f"\nkept localhost:{place.image}: no rotation made it" in err


def test_what_is_left_of_a_set_is_reported_when_it_is_removed(rotate: Csf, place: Place) -> None:
    """An earlier run had begun its removal."""
    rotate("-slot", NIGHTS[1])
    (receipt,) = place.images.glob("monday/*.receipt.json")
    begun = receipt.with_name(receipt.name.replace(".receipt.json", ".removing"))
    receipt.rename(begun)
    _, _, err = rotate("-slot", NIGHTS[0])
    assert "\ndeleted what was left of localhost:" in err
    assert not begun.exists()


def test_a_drill_has_its_line(rotate: Csf, place: Place, tools: Tools) -> None:
    """The line is for a success; otherwise the exit code shows the failure."""
    tools.write(
        "osrestore",
        '[ "$1" = -t ] && exec tar -tP --quoting-style=literal -f "$3"\n'
        'exec tar -xP -f "$2" --transform "s:^$3:$4:" 2>&1',
    )
    scratch = place.images.parent / "scratch"
    scratch.mkdir()
    options = ("-drill-every", "7d", "-scratch-dir", str(scratch))
    code, _, err = rotate(*options, "-slot", NIGHTS[0])
    assert (code, "Restored it for trial in " in err) == (0, True)
    said = facts(rotate(*options, "-slot", NIGHTS[1], "-json"))
    assert (said["drilled"], said["drill_problem"]) == (False, None)


@pytest.mark.parametrize("strict", [[], ["-strict"]])
def test_under_strict_a_warning_is_a_failure(rotate: Csf, place: Place, strict: list[str]) -> None:
    """The backup is made nevertheless."""
    missing = f"localhost:{place.images.parent}/missing"
    code, _, err = rotate("-image-dir", missing, *strict)
    assert code == (ExitCode.WARNINGS if strict else ExitCode.DONE)
    assert f"warning: {missing} does not exist" in err
    assert "Backed up 2 databases" in err


@pytest.mark.parametrize(
    "option", ["-drill-every=7", "-drill-every=0d", "-every=1y", "-dated-day=Sonntag", "-slot=x"]
)
def test_what_is_no_length_of_time_or_day_is_refused(rotate: Csf, option: str) -> None:
    """It is a usage error."""
    assert rotate(option)[0] == ExitCode.USAGE
