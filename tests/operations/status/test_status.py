"""A status reports for each repository what is wrong or late, and what a restore costs."""

from __future__ import annotations

import contextlib
import datetime
import os
import shutil
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from rotating import DAY, MONDAY, TimedHost, resealed, rotated

from csf_backup_plugin.attempts.reading import Attempt, Attempts
from csf_backup_plugin.errors import FaultFound, HostUnreachable, Stale
from csf_backup_plugin.hosts.local.host import LocalHost
from csf_backup_plugin.image import copy_record, receipt_format, sealed_json
from csf_backup_plugin.image.path import ImagePath
from csf_backup_plugin.objectstore.room_and_time import space_needed
from csf_backup_plugin.operations import status
from csf_backup_plugin.operations.copy import copy
from csf_backup_plugin.operations.copy.request import CopyRequest
from csf_backup_plugin.operations.status.health import place_of
from csf_backup_plugin.operations.status.request import StatusRequest
from csf_backup_plugin.operations.verify import verify
from doubles import Memory

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conftest import Place

    from csf_backup_plugin.operations.status import Status
    from csf_backup_plugin.operations.status.health import Health

pytestmark = pytest.mark.usefixtures("tools")

HOUR = DAY / 24


def no_ledger() -> Attempts:
    """Replace the ledger by an empty one."""
    raise FileNotFoundError


def look(
    place: Place, at: datetime.datetime = MONDAY + HOUR, ledger: Any = no_ledger, **asked: Any
) -> Status:
    """Return the status of a place's image directory at a time."""

    @contextlib.contextmanager
    def on(name: str) -> Iterator[LocalHost]:
        if name != "localhost":
            raise HostUnreachable(f"{name} is away.", "Wait.")
        yield TimedHost(at)

    directories = asked.pop("directories", [f"localhost:{place.images}"])
    databases = asked.pop("databases", ())
    return status.look(StatusRequest.parse(directories, databases, **asked), on, ledger)


def drilled(image: ImagePath, at: str = "2026-11-23T03:00:00+00:00", *findings: str) -> None:
    """Record a drill for an image."""
    receipt = sealed_json.decode(Path(image.receipt).read_bytes())
    facts = {
        "backup_started": receipt["started"],
        "finished": at,
        "seconds": 12.5,
        "findings": list(findings),
    }
    Path(image.drill).write_bytes(sealed_json.encode(facts, sealed_json.DRILL))


@pytest.fixture
def image(place: Place) -> ImagePath:
    """Return the image of a good night, with a successful drill."""
    made = rotated(place).filled.image
    drilled(made)
    return made


def health(found: Status) -> Health:
    """Return the health of the only repository."""
    (one,) = found.repositories
    return one


def test_all_is_well_after_a_good_night(place: Place, image: ImagePath) -> None:
    """The work that would be lost and the time for a restore are known."""
    found = look(place)
    one = health(found)
    assert found.problem is None
    assert (one.master, one.host, one.leftovers) == (place.master, "localhost", 0)
    (state,) = one.sets
    assert (state.image, state.place, state.number, state.age) == (image, "monday", 1, 3600.0)
    assert one.last_drill
    assert one.last_drill.seconds == 12.5
    assert one.room[str(place.images)] > 3
    assert one.free[str(place.images)] > one.needed > state.size


def test_a_disk_that_is_not_mounted_is_reported(place: Place, image: ImagePath) -> None:
    """The empty directory can be read, but the disk's files are not there."""
    receipt = Path(image.receipt)
    receipt.write_bytes(resealed(image.receipt, mounts={str(place.images): "/mnt/backups"}))
    (text,) = health(look(place)).stale
    assert text.startswith(
        f"localhost:{place.images} was on the file system mounted at /mnt/backups, and is on that"
    )
    assert "its disk is not mounted" in text
    # On another machine, a copy of the image says nothing about mounts there.
    receipt.write_bytes(resealed(image.receipt, machine_id="another"))
    assert health(look(place)).stale == ()


def test_room_is_told_of_the_directories_that_rotations_fill(place: Place) -> None:
    """One status may cover several repositories, each with its own directories."""
    others = place.images.parent / "others"
    others.mkdir()
    directories = [f"localhost:{top}" for top in (place.images, others)]
    drilled(rotated(place, every=DAY.total_seconds()).filled.image)
    one = health(look(place, directories=directories))
    assert one.room.keys() == one.free.keys() == {str(place.images)}
    for promise in place.images.glob("csf-backup-promise-*"):
        promise.unlink()
    assert len(health(look(place, directories=directories)).room) == 2


def test_copies_are_reported(place: Place, image: ImagePath, tmp_path: Path) -> None:
    """Two sets with one number are no fault if one is a copy."""
    (tmp_path / "copies").mkdir()
    to = f"localhost:{tmp_path}/copies"
    made = copy(CopyRequest.parse(image.name, to), TimedHost(), TimedHost(), Memory())
    (state,) = health(look(place, directories=[to])).sets
    assert (state.image, state.copied, place_of(state)) == (made.image, image, "copy")
    one = health(look(place, directories=[f"localhost:{place.images}", to]))
    assert one.faults == ()
    assert [state.copied for state in one.sets] == [None, image]


def test_a_copy_that_is_made_or_was_killed_is_reported(place: Place, image: ImagePath) -> None:
    """It is not reported as left by a backup."""
    receipt = receipt_format.decode(Path(image.receipt).read_bytes())
    record = copy_record.record_of(ImagePath("db9", "/x/a.img"), receipt, "process 7", "then")
    Path(f"{place.images}/a.img.copying").write_bytes(copy_record.encode(record))
    Path(f"{place.images}/a.img.dbn").write_text(f"{place.master}\n")
    one = health(look(place))
    (note,) = one.notes
    assert note.startswith(f"localhost:{place.images}/a.img is a copy of db9:/x/a.img (by process")
    assert (one.leftovers, one.faults) == (0, ())


def test_an_old_set_is_stale(place: Place, image: ImagePath) -> None:
    """The limit is 30 hours, unless an option or promise differs."""
    assert look(place, MONDAY + 29 * HOUR).problem is None
    late = look(place, MONDAY + 31 * HOUR)
    assert isinstance(late.problem, Stale)
    assert f"is 31 h old, and may be 30 h: {image}" in late.problem.what
    assert look(place, MONDAY + 31 * HOUR, max_age=32 * 3600.0).problem is None


def test_a_promise_says_how_old_a_set_may_be(place: Place) -> None:
    """A quarter is added; an option overrides it, and the difference is reported."""
    drilled(rotated(place, every=7 * 86400.0, scratch=None).filled.image)
    one = health(look(place, MONDAY + 8 * DAY))
    assert (one.stale, one.interval) == ((), 7 * 86400.0)
    assert one.due == (MONDAY + 7 * DAY).isoformat()
    assert health(look(place, MONDAY + 9 * DAY)).stale
    (note,) = health(look(place, max_age=86400.0)).notes
    assert note == "-max-age says 24 h; a set is promised each 7 d"


def test_of_two_promises_the_later_one_holds(place: Place) -> None:
    """A promise that cannot be read counts as none."""
    other = place.images.parent / "other"
    other.mkdir()
    rotated(place, MONDAY, place.images, other, every=3600.0)
    rotated(place, MONDAY + DAY, every=7200.0)
    (other / "csf-backup-promise-0.json").write_text("{}")
    directories = [f"localhost:{top}" for top in (other, place.images)]
    for order in (directories, directories[::-1]):
        assert health(look(place, directories=order)).interval == 7200.0


def test_a_set_that_was_never_drilled_is_stale(place: Place) -> None:
    """An option turns this off."""
    rotated(place)
    found = look(place)
    assert isinstance(found.problem, Stale)
    assert "was ever restored by a drill" in found.problem.what
    assert look(place, max_drill_age=0).problem is None


def test_a_drill_of_long_ago_is_stale(place: Place, image: ImagePath) -> None:
    """A drill of an older set counts, too."""
    rotated(place, MONDAY + DAY)
    assert health(look(place, MONDAY + 2 * DAY)).stale == ()
    (text,) = health(look(place, MONDAY + 2 * DAY, max_drill_age=3600.0)).stale
    assert "was 47 h ago, and may be 60 min" in text
    assert image.path


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda image: Path(image.path).write_bytes(b"x"), "holds 1 bytes; its receipt says"),
        (lambda image: os.unlink(image.path), "is missing, and its receipt is there"),
        (lambda image: drilled(image, "2026-11-23T04:00:00+00:00", "torn"), "last drill of"),
    ],
)
def test_what_is_wrong_with_the_newest_set_is_a_fault(
    place: Place, image: ImagePath, change: Any, told: str
) -> None:
    """The image itself is not read."""
    change(image)
    found = look(place)
    assert isinstance(found.problem, FaultFound)
    assert told in found.problem.findings[0]


def test_a_failed_verification_is_a_fault_while_the_set_is_the_newest(
    place: Place, image: ImagePath
) -> None:
    """For an older set it is only a note."""
    with open(image.path, "r+b") as file:
        file.write(b"x")
    with pytest.raises(FaultFound):
        verify(image, None, LocalHost(), Memory())
    (fault,) = health(look(place)).faults
    assert fault.startswith(f"the last verification of {image} failed, at ")
    rotated(place, MONDAY + DAY)
    one = health(look(place, MONDAY + DAY + HOUR))
    assert (one.faults, one.notes) == ((), (fault,))


def test_a_receipt_that_cannot_be_used_may_be_of_a_newer_set(
    place: Place, image: ImagePath
) -> None:
    """It is not known which set is the newest."""
    newer = rotated(place, MONDAY + DAY).filled.image
    Path(newer.receipt).write_text("{}")
    (fault,) = health(look(place)).faults
    assert fault.endswith(f"it may be newer than {image}")


def test_a_set_of_the_future_is_a_fault(place: Place, image: ImagePath) -> None:
    """A clock was wrong then, or is wrong now."""
    (fault,) = health(look(place, MONDAY - DAY)).faults
    assert fault == (
        f"{image} says that its backup began in the future, at {MONDAY.isoformat()}; correct the "
        "clock of localhost, and make a new backup"
    )


def test_a_drill_of_the_future_does_not_count(place: Place, image: ImagePath) -> None:
    """Otherwise one wrong clock would hide missing drills for years."""
    drilled(image, "2036-11-23T03:00:00+00:00")
    one = health(look(place))
    assert one.stale == (f"no image of {place.master} was ever restored by a drill",)
    (note,) = one.notes
    assert note.startswith(
        f"the last drill of {image} does not count: it has a date in the future, 2036"
    )
    drilled(image, "2036-11-23T03:00:00+00:00", "torn")
    assert len(health(look(place)).faults) == 1


def test_a_failed_drill_is_not_over_with_the_next_set(place: Place, image: ImagePath) -> None:
    """It remains until another drill succeeds."""
    failed = rotated(place, MONDAY + DAY).filled.image
    at = (MONDAY + DAY + HOUR).isoformat()
    drilled(failed, at, "torn")
    newest = rotated(place, MONDAY + 2 * DAY).filled.image
    now = MONDAY + 2 * DAY + HOUR
    one = health(look(place, now, max_drill_age=0))
    assert one.stale == (f"the last drill of {place.master} failed, at {at}, of {failed}",)
    drilled(newest, now.isoformat())
    assert look(place, now).problem is None
    assert image.path


@pytest.mark.parametrize("of", ["verification", "drill"])
def test_a_record_that_cannot_be_used_is_stale(place: Place, image: ImagePath, of: str) -> None:
    """It may say that the newest set cannot be restored."""
    Path(getattr(image, of)).write_text("{}")
    told = f"{getattr(image, of)} cannot be used, so how the last {of} went is not known"
    assert told in health(look(place)).stale
    drilled(rotated(place, MONDAY + DAY).filled.image)
    assert health(look(place, MONDAY + DAY + HOUR)).stale == ()


@pytest.mark.parametrize("is_torn", [True, False])
def test_of_copies_the_one_that_kept_its_name_is_judged(
    place: Place, image: ImagePath, *, is_torn: bool
) -> None:
    """The other copy is mentioned, like an older set."""
    other = place.images / "aaa.img"
    for path in (image.path, image.import_file, image.receipt, image.drill):
        shutil.copy(path, f"{other}{path.removeprefix(image.path)}")
    Path(image.path if is_torn else other).write_bytes(b"x")
    one = health(look(place))
    assert [state.image for state in one.sets] == [image, replace(image, path=str(other))]
    assert (len(one.faults), len(one.notes)) == ((1, 0) if is_torn else (0, 1))


def test_two_newest_sets_that_differ_are_a_fault(place: Place, image: ImagePath) -> None:
    """`latest` means neither of them."""
    other = f"{place.images}/other.img"
    shutil.copy(image.path, other)
    started = (MONDAY + HOUR / 2).isoformat()
    Path(f"{other}.receipt.json").write_bytes(resealed(image.receipt, image=other, started=started))
    (fault,) = health(look(place)).faults
    assert fault == f"{image} and localhost:{other} both say that they are backup 1"


@pytest.mark.parametrize(
    "facts",
    [
        {"every_seconds": "24h"},
        {"every_seconds": None},
        {"every_seconds": -1},
        {"every_seconds": True},
        {"drill_every_seconds": []},
        {"drill_every_seconds": float("nan")},
        {"due": 7},
        {"started": "zzz"},
        {"repository_id": None},
    ],
)
def test_a_promise_that_no_rotation_writes_is_stale(place: Place, facts: dict[str, Any]) -> None:
    """Without options, it is not known how old a set may be."""
    drilled(rotated(place, every=3600.0).filled.image)
    (path,) = place.images.glob("csf-backup-promise-*.json")
    promise = sealed_json.decode(path.read_bytes(), sealed_json.PROMISE)
    path.write_bytes(sealed_json.encode({**promise, **facts}, sealed_json.PROMISE))
    one = health(look(place))
    assert one.stale == (
        f"{path} is damaged: it holds a value that no rotation writes, so how often a set is "
        "promised is not known",
    )
    assert (one.due, one.interval) == (None, None)
    assert look(place, max_age=DAY.total_seconds(), max_drill_age=0).problem is None


def test_a_promise_that_cannot_be_read_is_stale(place: Place) -> None:
    """Another directory may have the same promise, which counts then."""
    other = place.images.parent / "other"
    other.mkdir()
    drilled(rotated(place, MONDAY, place.images, other, every=3600.0).filled.image)
    directories = [f"localhost:{top}" for top in (other, place.images)]
    for number, top in enumerate((other, place.images)):
        (path,) = top.glob("csf-backup-promise-*.json")
        path.unlink()
        path.mkdir()
        stale = health(look(place, directories=directories)).stale
        assert len(stale) == 2 * number
    assert " cannot be read: " in stale[0]


def test_a_repository_whose_receipts_cannot_be_used_has_its_line(
    place: Place, image: ImagePath
) -> None:
    """The line appears however old they are, and whatever else is there."""
    other = f"{place.images}/other.img"
    for ending in ("", ".dbn", ".receipt.json"):
        shutil.copy(image.path + ending, other + ending)
    Path(f"{other}.dbn").write_text("/r/other.db\n")
    Path(f"{other}.receipt.json").write_text("{}")
    os.utime(f"{other}.receipt.json", (0, 0))
    found = look(place, databases=["localhost:/r/other.db"])
    assert isinstance(found.problem, FaultFound)
    assert [one.master for one in found.repositories] == ["/r/other.db", place.master]
    (fault,) = found.repositories[0].faults
    assert fault.startswith(f"localhost:{other} has a receipt that ")


def test_a_set_without_a_number_is_no_newest(place: Place, image: ImagePath) -> None:
    """Its manifest cannot be written; `latest` does not mean that set either."""
    Path(image.receipt).write_bytes(resealed(image.receipt, number=None, repository_id=None))
    (told,) = health(look(place)).stale
    assert told == f"{image} has no backup number, so whether it is the newest is not known"
    newer = rotated(place, MONDAY + DAY).filled.image
    assert [state.image for state in health(look(place)).sets] == [newer]


def test_another_repository_at_the_same_path_has_no_images(place: Place, image: ImagePath) -> None:
    """The images belong to the repository that was there before."""
    databases = [f"localhost:{place.master}"]
    assert look(place, databases=databases).problem is None
    os.unlink(f"{place.master}.manifest")
    assert look(place, databases=databases).problem is None
    rotated(place, MONDAY, place.repository.parent)
    found = look(place, databases=databases)
    assert isinstance(found.problem, Stale)
    assert f"{place.master} on localhost has no proven image" in found.problem.what
    assert image.path


def test_where_nothing_is_that_is_reported(place: Place) -> None:
    """A named repository gets a line."""
    nothing = look(place)
    assert isinstance(nothing.problem, Stale)
    assert "there is no proven image at all" in nothing.problem.what
    named = look(place, databases=[f"localhost:{place.master}"])
    assert isinstance(named.problem, Stale)
    assert f"{place.master} on localhost has no proven image" in named.problem.what
    assert health(named).last_drill is None


def test_little_room_is_stale(
    place: Place, image: ImagePath, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next sets will not fit."""
    look_at = LocalHost.look
    size = os.path.getsize(image.path)

    def nearly_full(host: LocalHost, paths: Any) -> Any:
        return [at._replace(free=space_needed(2 * size)) for at in look_at(host, paths)]

    monkeypatch.setattr(LocalHost, "look", nearly_full)
    (text,) = health(look(place)).stale
    assert text == f"localhost:{place.images} has room for 2 more sets of that size"


def test_what_the_newest_set_lacks_is_reported(place: Place, image: ImagePath) -> None:
    """A class created since is in no backup, which is no fault."""
    (place.repository / "New.db").write_bytes(b"new")
    (place.repository / "Book.db").unlink()
    databases = [f"localhost:{place.master}"]
    one = health(look(place, databases=databases))
    assert one.notes == (
        f"in no backup yet: {place.repository}/New.db",
        f"in the newest backup, and not on disk: {place.repository}/Book.db",
    )
    assert (one.coverage, len(one.sets), image.path != "") == (2, 1, True)
    Path(f"{place.master}.manifest").write_text("csf-backup-manifest 1\n00000000 x\n")
    (note,) = health(look(place, databases=databases)).notes
    assert note.startswith(f"the databases of {place.master} cannot be listed: ")


def test_a_repository_may_be_named_by_a_link(place: Place, image: ImagePath) -> None:
    """Its receipts have the resolved path."""
    link = place.images.parent / "link"
    link.symlink_to(place.repository)
    one = health(look(place, databases=[f"localhost:{link}/{Path(place.master).name}"]))
    assert (one.master, one.coverage, one.notes) == (place.master, 2, ())
    assert image.path


def test_of_another_repository_there_is_no_coverage(place: Place, image: ImagePath) -> None:
    """The other repository has its own line."""
    other = place.images.parent / "other.db"
    other.write_bytes(b"x")
    found = look(place, databases=[f"localhost:{other}"])
    assert [one.coverage for one in found.repositories] == [None, None]
    assert found.repositories[0].master == str(other)
    assert image.path


def test_images_without_a_receipt_are_counted(place: Place, image: ImagePath) -> None:
    """They never change the exit code."""
    left = rotated(place, MONDAY + DAY).filled.image
    os.unlink(left.receipt)
    found = look(place)
    assert found.problem is None
    assert health(found).leftovers == 1
    assert "1 image without a receipt" in health(found).notes[-1]
    assert image.path


@pytest.mark.parametrize("answer", ["accepted", "drilled", ""])
def test_what_is_suspicious_in_the_newest_set_is_reported(place: Place, answer: str) -> None:
    """It is reported as long as rotations withhold deletions for it; it may be harmless."""
    made = rotated(place).filled.image
    facts = {"suspicions": ["lacks 1", "is small"], "accepted": answer == "accepted"}
    Path(made.receipt).write_bytes(resealed(made.receipt, **facts))
    drilled(made, "2026-11-23T03:00:00+00:00", *[] if answer == "drilled" else ["unsound"])
    told = [note for note in health(look(place)).notes if "lacks" in note]
    assert told == (
        []
        if answer
        else [
            f"{made} lacks 1; it is small; rotations delete nothing until a good drill of it, or "
            "one run with -yes"
        ]
    )


def test_a_directory_that_cannot_be_read_is_no_good_news(place: Place, image: ImagePath) -> None:
    """A newer set, or another repository's, may be there; all that can be read is reported."""
    missing = f"localhost:{place.images.parent}/missing"
    found = look(place, directories=[missing, f"localhost:{place.images}"])
    assert found.unread == [f"{missing} cannot be read: No such file or directory"]
    assert isinstance(found.problem, Stale)
    assert found.unread[0] in found.problem.what
    assert health(found).sets[0].image == image


def test_a_place_that_cannot_be_read_hides_no_other(
    place: Place, image: ImagePath, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is named, with the warning that a newer set may be there."""
    read, newer = LocalHost.read_directory, rotated(place, MONDAY + DAY).filled.image

    def refuse(host: LocalHost, path: str, ending: str) -> Any:
        if path == newer.directory:
            raise PermissionError(13, "Permission denied", path)
        return read(host, path, ending)

    monkeypatch.setattr(LocalHost, "read_directory", refuse)
    found = look(place)
    assert found.unread == [f"localhost:{newer.directory} cannot be read: Permission denied"]
    assert isinstance(found.problem, Stale)
    assert health(found).sets[0].image == image


def test_a_directory_whose_disk_fails_is_reported_once(
    place: Place, image: ImagePath, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its places fail with it."""

    def fail(_host: LocalHost, path: str, _ending: str) -> Any:
        raise OSError(5, "Input/output error", path)

    monkeypatch.setattr(LocalHost, "read_directory", fail)
    assert look(place).unread == [f"localhost:{place.images} cannot be read: Input/output error"]
    assert image.path


def test_a_host_that_cannot_be_reached_is_worse_than_a_stale_set(
    place: Place, image: ImagePath
) -> None:
    """A fault is as bad."""
    directories = [f"localhost:{place.images}", "away:/backups"]
    found = look(place, MONDAY + 40 * HOUR, directories=directories)
    assert isinstance(found.problem, HostUnreachable)
    assert [one.host for one in found.unreached] == ["away"]
    Path(image.path).write_bytes(b"x")
    assert isinstance(look(place, directories=directories).problem, FaultFound)


def attempt(number: int, **facts: Any) -> Attempt:
    """Return an attempt of a rotation."""
    command = facts.pop("command", "admin_database_rotate")
    return Attempt(
        str(number), command, "m", "u", 1, began=f"2026-11-{number}T02:10:00+00:00", **facts
    )


def test_the_ledger_tells_the_last_attempts(place: Place, image: ImagePath) -> None:
    """They are attempts of this repository to make a set."""
    known = health(look(place)).id
    attempts = [
        attempt(20, repository_id=known, outcome="done", exit_code=0),
        attempt(21, host="localhost", database=place.master, outcome="refused", exit_code=20),
        attempt(22, repository_id="another", outcome="done", exit_code=0),
        attempt(23, repository_id=known, command="admin_database_verify", outcome="done"),
        attempt(24, host="else", database=place.master),
    ]
    one = health(look(place, ledger=lambda: Attempts(attempts)))
    assert (one.last_success, one.last_attempt) == (attempts[0], attempts[1])
    assert health(look(place)).last_attempt is None
    assert image.path


def test_an_attempt_of_the_future_is_stale(place: Place, image: ImagePath) -> None:
    """One of two clocks is wrong, so all ages are doubtful."""
    begun = attempt(25, host="localhost", database=place.master, outcome="failed")
    one = health(look(place, ledger=lambda: Attempts([begun])))
    assert one.stale == (
        f"the last attempt began at {begun.began}, by the clock of m, and localhost has "
        f"{(MONDAY + HOUR).isoformat()} now; correct the clock that is wrong",
    )
    later = datetime.datetime.fromisoformat(str(begun.began))
    assert health(look(place, later, ledger=lambda: Attempts([begun]))).stale[1:] == ()
    assert image.path


def test_beside_a_set_of_the_future_no_attempt_is_stale(place: Place, image: ImagePath) -> None:
    """The fault has reported the clock already."""
    begun = attempt(25, host="localhost", database=place.master, outcome="failed")
    one = health(look(place, MONDAY - DAY, ledger=lambda: Attempts([begun])))
    assert (len(one.faults), one.attempts) == (1, [begun])
    assert not any(str(begun.began) in said for said in one.stale)
    assert image.path


def test_a_promise_of_a_clock_that_was_ahead_is_not_due(place: Place) -> None:
    """It reports no due time rather than a wrong one."""
    rotated(place, MONDAY + 300 * DAY, every=86400.0)
    assert health(look(place, MONDAY)).due is None
    assert health(look(place, MONDAY + 300 * DAY)).due


def test_what_the_ledger_does_not_tell_is_reported(place: Place, image: ImagePath) -> None:
    """Without a ledger here, csf may run on another machine."""

    def refuse() -> Attempts:
        raise PermissionError(13, "Permission denied")

    told = "which attempts there were is not known: Permission denied"
    assert look(place, ledger=refuse).warnings == [told]
    (warning,) = look(place, ledger=lambda: Attempts([], newer=1, unreadable=2)).warnings
    assert warning == "3 lines of the ledger of attempts were skipped"
    assert image.path


def test_the_worst_repository_comes_first(place: Place, image: ImagePath) -> None:
    """Sets of several repositories in one directory do not mix."""
    newer = rotated(place, MONDAY + DAY).filled.image
    other = resealed(newer.receipt, repository_id="2" * 32, image=newer.path)
    Path(newer.receipt).write_bytes(other)
    found = look(place, MONDAY + DAY + HOUR)
    assert [one.rank for one in found.repositories] == [1, 2]
    assert [one.id == "2" * 32 for one in found.repositories] == [True, False]
    assert image.path
