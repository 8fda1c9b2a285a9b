"""What killed rotations have left is proven or removed by the next one, and reported."""

from __future__ import annotations

import contextlib
import errno
import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from rotating import (
    DAY,
    MONDAY,
    WEEK,
    TimedHost,
    files,
    let_be_unproven,
    receipts_in,
    rotated,
)

from csf_backup_plugin.errors import (
    HostUnreachable,
    LockBusy,
    NoSpace,
    OsbackupFailed,
    UnsafeImagePath,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

    from conftest import Place

    from csf_backup_plugin.hosts.protocol.locking import Lock

pytestmark = pytest.mark.usefixtures("tools")

RUNNING = {"started": MONDAY.isoformat(), "pid": "999999999", "status": "running"}


@pytest.mark.parametrize(
    ("record", "why"),
    [
        ({}, "osbackup ended without recording its exit status"),
        (RUNNING, "osbackup ended without recording its exit status"),
        ({**RUNNING, "status": "1"}, "osbackup failed: "),
    ],
    ids=["never started", "killed", "failed"],
)
def test_what_cannot_be_proven_is_removed(place: Place, record: dict[str, str], why: str) -> None:
    """Run record and claim are removed, too."""
    left = rotated(place).filled.image
    let_be_unproven(left, record)
    (told,) = rotated(place, MONDAY + DAY).filled.also_done
    assert told.startswith(f"{left} was left by a run that was killed, and was removed: {why}")
    assert os.listdir(left.directory) == []


def test_what_osbackup_has_finished_is_proven_as_the_set_of_its_run(place: Place) -> None:
    """A run with its id makes no other set; number and place are the original ones."""
    left = rotated(place, run_id="that night").filled.image
    before = receipts_in(place.images)[left.path]
    let_be_unproven(left)
    again = rotated(place, MONDAY + DAY, run_id="that night").filled
    after = receipts_in(place.images)[left.path]
    assert (again.image, again.backup) == (left, None)
    assert again.also_done == (f"{left} was left by a run that was killed, and is proven now",)
    assert (after.placement, after.origin.number) == (before.placement, before.origin.number)


def test_a_run_whose_set_is_there_settles_what_others_have_left(place: Place) -> None:
    """The run reports that set."""
    left = rotated(place).filled.image
    made = rotated(place, MONDAY + DAY, run_id="tonight").filled.image
    let_be_unproven(left)
    again = rotated(place, MONDAY + DAY, run_id="tonight").filled
    assert again.image == made
    assert again.also_done == (
        f"{left} was left by a run that was killed, and is proven now",
        f"run tonight has made {made} already",
    )


def test_the_record_of_a_run_that_was_killed_after_its_proof_is_removed(place: Place) -> None:
    """The record is not needed any more."""
    made = rotated(place).filled.image
    os.mkdir(made.run)
    Path(made.run, "status").touch()
    (told,) = rotated(place, MONDAY + DAY).filled.also_done
    assert told == f"{made.run} was left by a run that was killed, and was removed"
    assert not os.path.exists(made.run)


def test_a_run_id_whose_set_was_removed_makes_another_one(place: Place) -> None:
    """There is never more than one."""
    for week, run_id in enumerate(("first", "second", "first")):
        made = rotated(place, MONDAY + week * WEEK, run_id=run_id)
        assert made.filled.backup is not None
        assert len(receipts_in(place.images)) == 1


class Broken(TimedHost):
    """A machine on which operations on some files fail.

    Args:
        path: what the paths of those files begin with.
        number: the error.
        at: what the clock says.
    """

    def __init__(self, path: str, number: int, at: Any = MONDAY) -> None:
        super().__init__(at)
        self._path, self._number = path, number

    def _strike(self, path: str) -> None:
        if path.startswith(self._path):
            raise OSError(self._number, os.strerror(self._number), path)

    def publish(self, path: str, data: bytes, like: str | None = None) -> str:
        self._strike(path)
        return super().publish(path, data, like)

    def create(self, path: str, data: bytes) -> None:
        self._strike(path)
        super().create(path, data)

    def make_directories(self, paths: Any) -> None:
        for path in paths:
            self._strike(path)
            super().make_directories([path])

    def remove_trees(self, paths: Any, *, mine: bool) -> None:
        for path in paths:
            self._strike(path)
            super().remove_trees([path], mine=mine)


@pytest.mark.parametrize("record", [None, {}], ids=["to be proven", "to be removed"])
@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO, errno.EROFS, errno.EACCES])
def test_a_leftover_that_stays_stops_no_backup(
    place: Place, record: dict[str, str] | None, number: int
) -> None:
    """It is reported; a disk may be full, broken or another user's."""
    left = rotated(place).filled.image
    let_be_unproven(left, record)
    made = rotated(place, MONDAY + DAY, host=Broken(left.path, number, MONDAY + DAY)).filled
    assert made.backup is not None
    assert made.also_done[0].startswith(f"{left} was left by a run that was killed, and stays: ")
    assert os.path.exists(left.import_file)


def test_a_leftover_on_a_host_that_is_gone_ends_the_rotation(place: Place) -> None:
    """No other step is possible there."""
    left = rotated(place).filled.image
    let_be_unproven(left)

    class Gone(TimedHost):
        def publish(self, path: str, data: bytes, like: str | None = None) -> str:
            raise HostUnreachable("It is gone.", "Look for it.")

    with pytest.raises(HostUnreachable):
        rotated(place, MONDAY + DAY, host=Gone())


class Lockless(TimedHost):
    """A machine whose file systems have no locks."""

    def lock(self, *arguments: Any, **options: Any) -> Any:
        return self._lockless(super().lock(*arguments, **options))

    @contextlib.contextmanager
    def _lockless(self, held: AbstractContextManager[Any]) -> Iterator[Lock]:
        with held as lock:
            lock.unsupported = "Function not implemented"
            yield lock


def test_where_no_lock_keeps_others_out_nothing_without_a_receipt_is_removed(place: Place) -> None:
    """Another rotation may be making it."""
    left = rotated(place).filled.image
    let_be_unproven(left, {})
    before = files(place.images)
    (told,) = rotated(place, MONDAY + DAY, host=Lockless(MONDAY + DAY)).filled.also_done
    assert told == f"{left} has no receipt, and stays: the repository cannot be locked"
    assert before.items() <= files(place.images).items()


@pytest.mark.parametrize("number", [errno.EROFS, errno.ENOSPC, errno.EIO, errno.EACCES])
@pytest.mark.parametrize("is_made", [False, True])
def test_a_directory_that_takes_no_files_is_reported_and_the_next_one_taken(
    place: Place, tmp_path: Path, number: int, *, is_made: bool
) -> None:
    """Whether or not its place can be made: any backup is better than none."""
    (tmp_path / "second").mkdir()
    if is_made:
        (place.images / "monday").mkdir()
    tops = (tmp_path / "second", place.images)
    host = Broken(str(place.images), number)
    made = rotated(place, MONDAY, *tops, host=host)
    assert made.filled.image.path.startswith(str(tmp_path / "second"))
    host = Broken(str(place.images), number, MONDAY + DAY)
    made = rotated(place, MONDAY + DAY, *tops, host=host)
    assert made.filled.image.path.startswith(str(tmp_path / "second"))
    assert any(f"no backup to {place.images}" in warning for warning in made.warnings)


def test_no_other_directory_is_tried_while_osbackup_may_still_write(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two osbackups never run at once."""
    tried = []

    def failing(request: Any, lock: Any, *_: Any) -> None:
        tried.append(request.image)
        lock.is_left = True
        raise OsbackupFailed("osbackup could not be ended.", "Look.")

    monkeypatch.setattr("csf_backup_plugin.operations.rotate.filling.back_up_locked", failing)
    (tmp_path / "second").mkdir()
    with pytest.raises(OsbackupFailed):
        rotated(place, MONDAY, place.images, tmp_path / "second")
    assert len(tried) == 1


@pytest.mark.parametrize("call", ["look", "withdraw", "lock"])
def test_an_error_after_the_proof_says_that_the_set_is_there(place: Place, call: str) -> None:
    """Otherwise a user would think that there is no backup."""
    rotated(place)

    class Failing(TimedHost):
        def _check(self) -> None:
            if any("2026-11-30" in image for image in receipts_in(place.images)):
                raise OSError(errno.EIO, os.strerror(errno.EIO), str(place.images))

        def look(self, paths: Any) -> Any:
            if call == "look":
                self._check()
            return super().look(paths)

        def withdraw(self, files: Any) -> list[str]:
            if call == "withdraw":
                self._check()
            return super().withdraw(files)

        def lock(self, *arguments: Any, **options: Any) -> Any:
            if call == "lock":
                self._check()
            return super().lock(*arguments, **options)

    with pytest.raises(Exception, match="The new backup is made and proven: ") as caught:
        rotated(place, MONDAY + WEEK, host=Failing(MONDAY + WEEK))
    assert "Nothing was created" not in str(caught.value)
    assert len(receipts_in(place.images)) == 2 - (call == "look")


def test_what_is_left_of_a_set_is_removed_by_the_next_run(place: Place) -> None:
    """As much as possible is removed; the rest is no backup, and is reported."""
    made = [rotated(place, MONDAY + day * DAY).filled.image for day in (0, 1)]
    (half, other) = made
    os.rename(half.receipt, half.removing)
    host = Broken(half.import_file, errno.EBUSY, MONDAY + 8 * DAY)
    removal = rotated(place, MONDAY + 8 * DAY, host=host).removal
    assert (removal.finished, removal.removed) == ([], [other])
    assert f"{half} is not a backup any more, and is not all removed" in removal.warnings[0]
    assert os.path.exists(half.removing)
    removal = rotated(place, MONDAY + 9 * DAY).removal
    assert removal.finished == [half]
    assert os.listdir(half.directory) == []


def test_a_dry_run_tells_of_leftovers_and_touches_none(place: Place) -> None:
    """It also reports a set that a run with its id has made already."""
    left = rotated(place).filled.image
    made = rotated(place, MONDAY + DAY, run_id="tonight").filled.image
    let_be_unproven(left)
    before = files(place.images)
    dry = rotated(place, MONDAY + DAY, run_id="tonight", options={"dry_run": True})
    assert dry.filled.also_done == (
        f"{left} was left by a run that was killed; it would be proven or removed",
        f"run tonight has made {made} already",
    )
    assert files(place.images) == before


def test_no_osbackup_is_started_beside_one_that_a_killed_run_has_left(place: Place) -> None:
    """If it does not hold the lock, its run record shows it."""
    left = rotated(place).filled.image
    with subprocess.Popen(["sleep", "1000"], start_new_session=True) as osbackup:
        let_be_unproven(left, {**RUNNING, "pid": str(osbackup.pid)})
        before = files(place.images)
        try:
            with pytest.raises(LockBusy, match=f"is still running on .* and writes {left}"):
                rotated(place, MONDAY + DAY)
            assert files(place.images) == before
        finally:
            osbackup.kill()
    (told,) = rotated(place, MONDAY + DAY).filled.also_done
    assert "was removed" in told


def test_a_leftover_whose_note_is_lost_is_known_by_its_number(place: Place) -> None:
    """The manifest has its image and number; without a place in its note it stays."""
    left = rotated(place, run_id="that night").filled.image
    let_be_unproven(left)
    os.unlink(f"{left.run}/note")
    again = rotated(place, MONDAY + DAY, run_id="that night").filled
    assert again.backup is not None
    assert again.also_done == (f"{left} was left by a run that was killed, and is proven now",)
    assert receipts_in(place.images)[left.path].placement is None


def test_a_set_whose_removal_has_to_wait_is_removed_by_the_next_run(place: Place) -> None:
    """Another command may have taken the lock after the new set was proven."""
    rotated(place)

    class Taken(TimedHost):
        def lock(self, *arguments: Any, **options: Any) -> Any:
            if len(receipts_in(place.images)) == 2:
                raise LockBusy("Another command has it.", "Wait.")
            return super().lock(*arguments, **options)

    removal = rotated(place, MONDAY + WEEK, host=Taken(MONDAY + WEEK)).removal
    (warning,) = removal.warnings
    assert warning == "nothing was removed, which the next run does: Another command has it."
    assert len(rotated(place, MONDAY + WEEK + DAY).removal.removed) == 1


def test_all_directories_that_take_nothing_are_named(place: Place, tmp_path: Path) -> None:
    """The error is that of the first one, and mentions the others."""
    (tmp_path / "second").mkdir()
    (place.images / "monday").write_text("somebody else's")
    host = Broken(str(tmp_path / "second"), errno.ENOSPC)
    with pytest.raises((NoSpace, UnsafeImagePath)) as caught:
        rotated(place, MONDAY, place.images, tmp_path / "second", host=host)
    assert "No space left on device" in caught.value.what
    assert f"{place.images}/monday is not a directory" in caught.value.what
    with pytest.raises(UnsafeImagePath, match="No image directory on .* can be used: .*gone"):
        rotated(place, MONDAY, tmp_path / "gone")


def test_what_a_killed_run_owes_is_settled_before_all_else(place: Place) -> None:
    """After that, the directories are read again."""
    debt = Path(f"{place.master}.quiesced")
    debt.write_bytes(b"of an older version")
    (told,) = [text for text in rotated(place).filled.warnings if str(debt) in text]
    assert "cannot be read" in told
