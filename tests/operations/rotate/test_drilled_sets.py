"""A rotation drills its set if the last good drill is too old, and reports the result."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from rotating import DAY, MONDAY, WEEK, TimedHost, rotated

from csf_backup_plugin.errors import FaultFound, HostUnreachable, NoSpace, Withheld
from csf_backup_plugin.image.check_record import Check
from csf_backup_plugin.image.path import ImagePath
from csf_backup_plugin.operations.rotate import drilling
from csf_backup_plugin.operations.rotate.drilling import is_due
from csf_backup_plugin.operations.rotate.freeze import Witness

if TYPE_CHECKING:
    from conftest import Place, Tools

    from csf_backup_plugin.operations.rotate import Rotated

pytestmark = pytest.mark.usefixtures("tools")

NOW = "2026-11-30T02:10:00+00:00"
RESTORE = """
[ "$1" = -t ] && exec tar -tP --quoting-style=literal -f "$3"
exec tar -xP -f "$2" --transform "s:^$3:$4:" 2>&1
"""


@pytest.fixture
def scratch(place: Place, tools: Tools) -> str:
    """Return a scratch directory, with an osrestore and an osverifydb that succeed."""
    tools.write("osrestore", RESTORE)
    tools.write("osverifydb", "exit 0")
    made = place.images.parent / "scratch"
    made.mkdir()
    return str(made)


def drilled(place: Place, scratch: str, day: int = 0, **asked: Any) -> Rotated:
    """Rotate on a day, with weekly drills."""
    return rotated(place, MONDAY + day * DAY, drill_every=7 * 86400.0, scratch=scratch, **asked)


def witness(*drills: Check | None) -> list[Witness]:
    """Return sets with these drills."""
    image = ImagePath("localhost", "/b/a.img")
    return [
        Witness(image, number, 1, frozenset(), (), is_accepted=False, drilled=one, verified=None)
        for number, one in enumerate(drills)
    ]


def sound(at: str) -> Check:
    """Return a successful drill."""
    return Check(is_sound=True, at=f"{at}:00+00:00")


FAULTY = Check(is_sound=False, at="2026-11-29T03:00:00+00:00")


@pytest.mark.parametrize(
    "drills",
    [
        [],
        [None],
        [FAULTY],
        [sound("2026-11-23T02:20")],
        [sound("2027-11-23T04:00")],
    ],
)
def test_a_drill_is_due_when_the_last_good_one_is_too_old(drills: list[Check | None]) -> None:
    """A week is too old, even if it ended later that night.

    A drill in the future does not count.
    """
    assert is_due(7 * 86400.0, witness(*drills), NOW)


@pytest.mark.parametrize(
    "drills",
    [
        [sound("2026-11-23T04:00")],
        [sound("2026-11-20T04:00"), sound("2026-11-29T04:00")],
        [sound("2026-11-28T04:00"), FAULTY],
    ],
)
def test_no_drill_is_due_while_a_good_one_is_young(drills: list[Check | None]) -> None:
    """It may be a drill of any set."""
    assert not is_due(7 * 86400.0, witness(*drills), NOW)


def test_a_set_is_drilled_once_a_week(place: Place, scratch: str) -> None:
    """The newest drilled set is kept when its weekday's place gets a new set."""
    first = drilled(place, scratch)
    assert first.drilled
    assert first.drilled.drill
    assert [bool(drilled(place, scratch, day).drilled) for day in range(1, 9)] == [
        *(False,) * 6,
        True,
        False,
    ]


def test_a_drill_that_fails_withholds_deletions(place: Place, scratch: str, tools: Tools) -> None:
    """They are withheld until a good drill; the failure is recorded beside the image."""
    rotated(place, MONDAY - WEEK)
    tools.write("osverifydb", "exit 1")
    failed = drilled(place, scratch)
    assert isinstance(failed.problem, Withheld)
    assert str(failed.problem).startswith(f"The new backup is proven: {failed.filled.image}. ")
    record = Path(failed.filled.image.drill)
    assert "osverifydb" in json.loads(record.read_bytes())["findings"][0]
    assert failed.removal.removed == ()
    tools.write("osverifydb", "exit 0")
    good = drilled(place, scratch, 7)
    assert good.problem is None
    assert len(good.removal.removed) == 2


def test_a_failed_drill_withholds_deletions_also_where_none_is_due(
    place: Place, scratch: str, tools: Tools
) -> None:
    """Each night reports it until a good drill."""
    tools.write("osverifydb", "exit 1")
    assert isinstance(drilled(place, scratch).problem, Withheld)
    assert isinstance(rotated(place, MONDAY + DAY).problem, Withheld)


def test_after_a_failed_drill_deletions_may_be_accepted(
    place: Place, scratch: str, tools: Tools
) -> None:
    """The exit code is that of the fault, and the removed sets are reported."""
    old = rotated(place, MONDAY - WEEK).filled.image
    tools.write("osverifydb", "exit 1")
    accepted = drilled(place, scratch, accepted=True)
    assert isinstance(accepted.problem, FaultFound)
    assert "Its drill failed: " in accepted.problem.what
    assert accepted.problem.left == f"Removed, since newer ones replace them: {old}."
    assert "drill an older set too" in accepted.problem.next_step
    assert isinstance(rotated(place, MONDAY + DAY).problem, Withheld)  # it was accepted before
    assert rotated(place, MONDAY + DAY, accepted=True).problem is None
    assert rotated(place, MONDAY + 2 * DAY).problem is None


def test_a_drill_that_cannot_be_made_is_a_problem_and_withholds_nothing(
    place: Place, scratch: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It says nothing about the image; the message has the next step."""

    def full(*_: object) -> None:
        raise NoSpace("The scratch directory is full.", "Make room there.")

    monkeypatch.setattr(drilling, "drill", full)
    made = drilled(place, scratch)
    assert isinstance(made.problem, NoSpace)
    assert "Its drill was not made: The scratch directory is full." in made.problem.what
    assert made.problem.left == "Nothing else was created or changed."
    assert "Make room there.\nThe drill alone is made by csf admin" in made.problem.next_step


def test_a_host_that_is_lost_during_the_drill_ends_the_rotation(
    place: Place, scratch: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The error says that the backup is proven."""

    def lost(*_: object) -> None:
        raise HostUnreachable("The connection was cut.", "Try again.")

    monkeypatch.setattr(drilling, "drill", lost)
    with pytest.raises(HostUnreachable) as caught:
        drilled(place, scratch)
    assert caught.value.left.startswith("The new backup is made and proven: ")


def test_a_drill_is_due_where_the_set_is_not_found_any_more(
    place: Place, scratch: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Earlier drills are unknown then."""
    monkeypatch.setattr("csf_backup_plugin.operations.rotate.look_back", lambda *_: None)
    assert drilled(place, scratch).drilled


def test_a_dry_run_says_that_deletions_would_be_withheld(
    place: Place, scratch: str, tools: Tools
) -> None:
    """It does not say that a backup is proven."""
    tools.write("osverifydb", "exit 1")
    drilled(place, scratch)
    foretold = rotated(place, MONDAY + DAY, options={"dry_run": True})
    assert isinstance(foretold.problem, Withheld)
    assert foretold.problem.what.startswith("Dry run: nothing would be deleted:")
    assert TimedHost().machine().local.startswith("2026-11-23T02:10")
