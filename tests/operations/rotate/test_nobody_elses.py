"""A rotation removes sets of its own repository's rotations, and nothing that looks like them."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any, Literal

import pytest
from conftest import Place
from rotating import (
    DAY,
    MONDAY,
    WEEK,
    TimedHost,
    copied,
    files,
    let_be_unproven,
    receipts_in,
    resealed,
    rotated,
)

from csf_backup_plugin.image import copy_record
from csf_backup_plugin.image.path import ImagePath
from csf_backup_plugin.operations.backup import back_up
from csf_backup_plugin.operations.backup.request import BackupRequest
from csf_backup_plugin.operations.manifest import change_manifest
from csf_backup_plugin.operations.manifest.request import ManifestChange
from csf_backup_plugin.repository.model import Repository
from doubles import Memory

pytestmark = pytest.mark.usefixtures("tools")

SET = ("", ".dbn", ".receipt.json")


def set_home(place: Place, home: Literal["moved", "copied"]) -> None:
    """Set where a repository's manifest says that it is."""
    change = ManifestChange(rebuild=True, home=home)
    change_manifest(Repository(place.master), change, 1.0, TimedHost(), Memory())


def copy_set(image: str, to: str) -> None:
    """Copy the files of a set."""
    for ending in SET:
        shutil.copy(image + ending, to + ending)


def test_a_copied_repository_makes_a_set_of_its_own_for_the_same_run_id(
    place: Place, tmp_path: Path
) -> None:
    """Both have one id until the user says which is the copy."""
    rotated(place)
    other = copied(place, tmp_path / "copy")
    first = rotated(place, MONDAY + DAY, run_id="tonight").filled
    second = rotated(other, MONDAY + DAY, run_id="tonight").filled
    assert second.backup is not None
    found = receipts_in(place.images)
    assert found[first.image.path].master == place.master
    assert found[second.image.path].master == other.master


def test_what_a_killed_copy_has_left_in_a_place_is_not_a_rotations(place: Place) -> None:
    """It may have the name of a set, and a claim like a backup's."""
    image = rotated(place).filled.image
    left = ImagePath("localhost", f"{image.path[:-4]}-2.img")
    receipt = receipts_in(place.images)[image.path]
    record = copy_record.record_of(ImagePath("db9", "/x/a.img"), receipt, "process 7", "then")
    Path(left.copying).write_bytes(copy_record.encode(record))
    shutil.copy(image.import_file, left.import_file)
    made = rotated(place, MONDAY + DAY).filled
    assert made.also_done == ()
    assert Path(left.copying).exists()
    assert Path(left.import_file).exists()
    (warning,) = [one for one in made.warnings if "-2.img" in one]
    assert "is a copy of db9:/x/a.img (by process 7, since then) that is being made" in warning


@pytest.mark.parametrize("is_told", [False, True])
def test_a_copied_repository_removes_no_set_of_the_first_one(
    place: Place, tmp_path: Path, *, is_told: bool
) -> None:
    """Each one replaces its own sets in the same places, settled or not."""
    first = rotated(place).filled.image
    other = copied(place, tmp_path / "copy")
    if is_told:
        set_home(other, "copied")
    before = files(place.images)
    for week in (1, 2):
        rotated(other, MONDAY + week * WEEK)
        assert before.items() <= files(place.images).items()
    assert len(receipts_in(place.images)) == 2
    last = rotated(place, MONDAY + 3 * WEEK)
    assert [*last.removal.removed] == [first]
    assert len(receipts_in(place.images)) == 2


@pytest.mark.parametrize("is_told", [False, True])
def test_a_moved_repository_removes_no_set_of_where_it_was(
    place: Place, tmp_path: Path, *, is_told: bool
) -> None:
    """Those sets have another path, where another repository may be now."""
    rotated(place)
    other = copied(place, tmp_path / "moved")
    shutil.rmtree(place.repository)
    if is_told:
        set_home(other, "moved")
    before = files(place.images)
    for week in (1, 2):
        rotated(other, MONDAY + week * WEEK)
    assert before.items() <= files(place.images).items()
    assert len(receipts_in(place.images)) == 2


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"id": "a" * 32}, {"id": "b" * 32}),
        ({"id": "a" * 32, "name": "one"}, {"id": "a" * 32, "name": "other"}),
        ({"id": "", "name": "one"}, {"id": "", "name": "other"}),
    ],
)
def test_a_clone_on_another_machine_touches_nothing_of_the_first(
    place: Place, first: dict[str, str], second: dict[str, str]
) -> None:
    """It has the same id and path, and shares the directory, but no lock."""

    def night(day: int) -> ImagePath:
        at = MONDAY + day * DAY
        return rotated(place, at, host=TimedHost(at, **first)).filled.image

    host = TimedHost(MONDAY + WEEK, **second)
    made, half, begun = map(night, range(3))
    os.rename(half.receipt, half.removing)
    let_be_unproven(begun, {})
    claim = Path(made.directory, "lib-2026-11-30-010000.img.dbn")
    claim.write_text(f"{place.master}\n")
    before = files(place.images)
    last = rotated(place, MONDAY + WEEK, host=host)
    assert last.filled.also_done == ()
    assert before.items() <= files(place.images).items()


def test_an_empty_claim_is_removed_when_it_is_old(place: Place) -> None:
    """Another repository's claim is empty for a moment, with the same file name."""
    monday = Path(rotated(place).filled.image.directory)
    (old, new, foreign) = (
        monday / name
        for name in ("lib-2026-11-30-010000.img.dbn", "lib-2026-11-30-010000-2.img.dbn", "x.dbn")
    )
    for path in (old, new, foreign):
        path.touch()
    for path, at in ((old, MONDAY), (foreign, MONDAY), (new, MONDAY + WEEK)):
        os.utime(path, (at.timestamp(), at.timestamp()))
    told = rotated(place, MONDAY + WEEK).filled.also_done
    assert (old.exists(), new.exists(), foreign.exists()) == (False, True, True)
    assert len(told) == 1
    assert "was removed" in told[0]


@pytest.mark.parametrize(
    ("name", "is_removed"),
    [
        ("lib-2026-11-30-010000.img", True),
        ("lib-2026-11-30-010000-2.img", True),
        ("lib-2026-13-30-010000.img", False),
        ("weekly.img", False),
        ("other-2026-11-30-010000.img", False),
    ],
)
def test_an_import_file_alone_is_a_claim_only_by_the_name_that_a_rotation_gives(
    place: Place, name: str, *, is_removed: bool
) -> None:
    """It may be a user's list of the databases."""
    claim = Path(rotated(place).filled.image.directory, f"{name}.dbn")
    claim.write_text(f"{place.master}\n")
    rotated(place, MONDAY + DAY)
    assert claim.exists() is not is_removed


def test_what_is_made_by_hand_or_copied_stays(place: Place) -> None:
    """This holds for odd names and for files of any kind beside the sets."""
    monday = Path(rotated(place).filled.image.directory)
    copy_set(rotated(place, MONDAY + WEEK).filled.image.path, f"{monday}/copy of it.img")
    image = f'localhost:{monday}/it\'s "hand" made.img'
    back_up(BackupRequest.parse(place.master, image), TimedHost(MONDAY), Memory())
    os.symlink("nowhere", monday / "link.img")
    (monday / "directory.img.removing").mkdir()
    for name in (
        b"\xff\xfe.img.dbn",
        b"\xff.img.removing",
        b"-rf",
        b"new\nline.removing",
        b".keep",
    ):
        Path(os.fsdecode(os.fsencode(monday) + b"/" + name)).write_text("somebody else's")
    kept = {path: data for path, data in files(place.images).items() if "/lib-" not in path}
    last = rotated(place, MONDAY + 2 * WEEK)
    assert len(last.removal.removed) == 1
    assert kept.items() <= files(place.images).items()
    whys = {os.path.basename(image.path): why for image, why in last.removal.others}
    assert whys['it\'s "hand" made.img'] == "no rotation made it"
    assert "is a copy or was moved" in whys["copy of it.img"]


def test_two_repositories_of_one_file_name_at_one_second(place: Place, tmp_path: Path) -> None:
    """The second one takes another name, and each replaces its own sets."""
    (tmp_path / "other").mkdir()
    other = Place(tmp_path / "other")
    other.images = place.images
    for week in range(3):
        at = MONDAY + week * WEEK
        names = [os.path.basename(rotated(one, at).filled.image.path) for one in (place, other)]
        assert names == [f"lib-{at.date()}-021000.img", f"lib-{at.date()}-021000-2.img"]
    assert len(files(place.images)) == 2 * len(SET)


def test_a_forged_mark_of_a_removal_removes_nothing(place: Place) -> None:
    """The mark may name another image, another repository, nothing, or be no receipt at all."""
    made = rotated(place).filled.image
    monday = made.directory
    forged = {
        "another image": Path(made.receipt).read_bytes(),
        "by hand": resealed(made.receipt, image=f"{monday}/by hand.img", place=None),
        "another id": resealed(made.receipt, image=f"{monday}/another id.img", repository_id="x"),
        "another path": resealed(
            made.receipt, image=f"{monday}/another path.img", master=f"{place.repository}/Book.db"
        ),
        "no receipt": b"gone",
    }
    for name, data in forged.items():
        for ending in SET[:2]:
            shutil.copy(made.path + ending, f"{monday}/{name}.img{ending}")
        Path(f"{monday}/{name}.img.removing").write_bytes(data)
    before = files(place.images)
    last = rotated(place, MONDAY + DAY)
    assert last.removal.finished == []
    assert before.items() <= files(place.images).items()


def test_both_names_of_one_receipt_are_a_removal_that_goes_on(place: Place) -> None:
    """A kill between link and unlink leaves both names; the set is complete, and is removed."""
    made = rotated(place).filled.image
    os.link(made.receipt, made.removing)
    assert [*rotated(place, MONDAY + WEEK).removal.removed] == [made]
    assert len(files(place.images)) == len(SET)


def test_a_set_beside_a_mark_that_is_another_file_stays(place: Place) -> None:
    """The other file is unknown, so nothing is lost, and it is reported."""
    made = rotated(place).filled.image
    shutil.copy(made.receipt, made.removing)
    before = files(place.images)
    removal = rotated(place, MONDAY + WEEK).removal
    assert removal.removed == []
    assert any(str(made) in warning for warning in removal.warnings)
    assert before.items() <= files(place.images).items()


def test_a_set_whose_receipt_cannot_be_used_stays(place: Place) -> None:
    """The receipt may be damaged or of a newer version."""
    damaged, newer = (rotated(place, MONDAY + week * WEEK).filled.image for week in (0, 0))
    data = Path(newer.receipt).read_bytes()
    Path(newer.receipt).write_bytes(data.replace(b"/1", b"/9", 1))
    Path(damaged.path).exists()
    before = files(place.images)
    last = rotated(place, MONDAY + WEEK)
    assert any("skipped" in warning for warning in last.warnings)
    assert before.items() <= files(place.images).items()


def test_a_file_that_says_to_keep_a_set_counts_until_its_receipt_goes(place: Place) -> None:
    """It may appear after the decision."""
    made = rotated(place).filled.image

    class Kept(TimedHost):
        def withdraw(self, files: Any) -> list[str]:
            Path(made.keep).write_text("for the auditor")
            return super().withdraw(files)

    removal = rotated(place, MONDAY + WEEK, host=Kept(MONDAY + WEEK)).removal
    assert removal.removed == []
    assert f"is to be kept, as {made.keep} says" in removal.warnings[0]
    assert made.path in receipts_in(place.images)


def test_a_file_that_says_to_keep_what_is_left_of_a_set_counts_too(place: Place) -> None:
    """The image may be complete."""
    made = rotated(place).filled.image
    os.rename(made.receipt, made.removing)
    Path(made.keep).write_text("let me see")
    before = files(place.images)
    removal = rotated(place, MONDAY + WEEK).removal
    assert before.items() <= files(place.images).items()
    assert "is kept" in removal.warnings[0]
    os.unlink(made.keep)
    assert rotated(place, MONDAY + 2 * WEEK).removal.finished == [made]
    assert not os.path.exists(made.path)


def test_what_counts_for_nothing_in_another_directory_is_reported(place: Place) -> None:
    """It is reported like files beside the new set, and nothing is removed."""
    other = place.images.parent / "other"
    (other / "monday").mkdir(parents=True)
    stray = other / "monday" / "mine.img.dbn"
    stray.write_text(f"{place.master}\n")
    made = rotated(place, MONDAY, place.images, other)
    beside = rotated(place, MONDAY + DAY, place.images, other)
    for one in (made, beside):
        (warning,) = (text for text in one.warnings if "mine.img" in text)
        assert warning.startswith("skipped: localhost:")
    assert stray.exists()
