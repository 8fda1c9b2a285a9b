"""Image directories, places and names as users have them, and how a rotation treats them."""

from __future__ import annotations

import errno
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from conftest import Place
from rotating import (
    DAY,
    MONDAY,
    SUNDAY,
    WEEK,
    TimedHost,
    dated_copy,
    files,
    receipts_in,
    rotated,
)
from scale import scaled

from csf_backup_plugin.errors import BackupError, ImageExists, RepositoryIncomplete, UsageError
from csf_backup_plugin.hosts.local.host import LocalHost
from csf_backup_plugin.image.latest import find_newest
from csf_backup_plugin.image.path import ImagePath
from csf_backup_plugin.operations.manifest import change_manifest
from csf_backup_plugin.operations.manifest.request import ManifestChange
from csf_backup_plugin.operations.rotate.plan import Retention
from csf_backup_plugin.operations.verify import verify
from csf_backup_plugin.repository.model import Repository
from doubles import Memory

if TYPE_CHECKING:
    from collections.abc import Iterable

    from csf_backup_plugin.hosts.protocol.values import Facts

pytestmark = pytest.mark.usefixtures("tools")


def test_a_place_may_be_a_link_to_another_disk(place: Place, tmp_path: Path) -> None:
    """Its sets are replaced like any others."""
    (tmp_path / "disk").mkdir()
    (place.images / "monday").symlink_to(tmp_path / "disk")
    for week in range(3):
        made = rotated(place, MONDAY + week * WEEK)
        assert len(receipts_in(tmp_path / "disk")) == 1
    image = made.filled.image
    assert verify(image, None, TimedHost(MONDAY + 3 * WEEK), Memory())


def test_a_place_that_leads_nowhere_is_skipped(place: Place, tmp_path: Path) -> None:
    """Its disk may be mounted again later; the set goes to the next directory."""
    (tmp_path / "second").mkdir()
    (place.images / "monday").symlink_to(tmp_path / "gone")
    for week in range(2):
        made = rotated(place, MONDAY + week * WEEK, place.images, tmp_path / "second")
        assert made.filled.image.path.startswith(f"{tmp_path}/second/monday/")
    with pytest.raises(BackupError, match="monday is not a directory"):
        rotated(place, MONDAY)


def test_a_place_that_is_a_file_is_skipped(place: Place, tmp_path: Path) -> None:
    """The file stays."""
    (tmp_path / "second").mkdir()
    (place.images / "monday").write_text("somebody else's")
    for week in range(2):
        made = rotated(place, MONDAY + week * WEEK, place.images, tmp_path / "second")
        assert made.filled.image.path.startswith(f"{tmp_path}/second/monday/")
    assert (place.images / "monday").read_text() == "somebody else's"


def test_an_image_directory_may_be_a_link(place: Place, tmp_path: Path) -> None:
    """The sets are the same under either name; two names of one directory are refused."""
    (tmp_path / "link").symlink_to(place.images)
    for week, top in enumerate((tmp_path / "link", place.images, tmp_path / "link")):
        rotated(place, MONDAY + week * WEEK, top)
        assert len(receipts_in(place.images)) == 1
    with pytest.raises(UsageError, match="which is given as well"):
        rotated(place, MONDAY, tmp_path / "link", place.images)


def test_a_place_is_no_image_directory_beside_its_own(place: Place) -> None:
    """Its sets would count twice."""
    (place.images / "monday").mkdir()
    for tops in ((place.images, place.images / "monday"), (place.images / "monday", place.images)):
        with pytest.raises(UsageError, match="is a place of"):
            rotated(place, MONDAY, *tops)


def test_sets_that_are_reached_by_two_paths_are_kept(place: Place, tmp_path: Path) -> None:
    """A place of one image directory may be the other image directory."""
    (tmp_path / "second").mkdir()
    rotated(place)
    (tmp_path / "second" / "monday").symlink_to(place.images / "monday")
    for week in range(1, 4):
        rotated(place, MONDAY + week * WEEK, place.images, tmp_path / "second")
        assert receipts_in(place.images)


def test_latest_of_a_place_is_its_own_newest_set(place: Place) -> None:
    """`latest` of the directory above means all places."""
    monday, tuesday = (rotated(place, MONDAY + day * DAY).filled.image for day in (0, 1))
    host = TimedHost(MONDAY + 2 * DAY)
    for directory, newest in (
        (monday.directory, monday),
        (tuesday.directory, tuesday),
        (str(place.images), tuesday),
    ):
        latest = ImagePath("localhost", f"{directory}/latest")
        assert find_newest(latest, None, host.machine(), host).image == newest


NAMES = [".db", 'it\'s "a" b.db', "\udcff\udcfe.db", "-rf.db", "%s$(x)`y`.db", "é" * 110 + ".db"]


@pytest.mark.parametrize("name", NAMES)
def test_a_master_of_any_name_is_rotated(tmp_path: Path, name: str) -> None:
    """Its sets are found and replaced, whatever the name is."""
    place = Place(tmp_path)
    os.rename(place.master, place.repository / name)
    place.master = str(place.repository / name)
    for week in range(3):
        rotated(place, MONDAY + week * WEEK)
        assert len(files(place.images)) == 3


def test_a_set_that_is_read_stays_until_the_next_run(place: Place) -> None:
    """A reader holds the receipt's lock."""
    made = rotated(place).filled.image
    with LocalHost().reading(made.receipt):
        removal = rotated(place, MONDAY + WEEK).removal
        assert removal.removed == []
        assert any("is being read" in warning for warning in removal.warnings)
    assert len(rotated(place, MONDAY + 2 * WEEK).removal.removed) == 2


def test_a_clock_that_was_a_year_ahead_for_a_night_decides_nothing(place: Place) -> None:
    """The number decides; the set of that night goes when its place is filled again."""
    rotated(place)
    ahead = rotated(place, MONDAY + DAY + 364 * DAY)
    last = rotated(place, MONDAY + WEEK)
    assert len(last.removal.removed) == 1
    assert {ahead.filled.image.path, last.filled.image.path} == {*receipts_in(place.images)}
    last = rotated(place, MONDAY + WEEK + DAY)
    assert [*last.removal.removed] == [ahead.filled.image]


@pytest.mark.parametrize("slot", ["1970-01-04", "2026-11-08", "9999-12-26"])
def test_a_dated_set_of_a_far_slot_is_kept(place: Place, slot: str) -> None:
    """Its date was hardly intended, so no retention option counts it."""
    far = rotated(place, SUNDAY, slot=slot).filled.image
    for week in (1, 2, 3):
        last = rotated(place, SUNDAY + week * WEEK, retention=Retention(dated=1))
    assert far.path in receipts_in(place.images)
    assert len(receipts_in(place.images)) == 2
    assert last.filled.image.path in receipts_in(place.images)


def test_a_manifest_that_is_lost_changes_nothing(place: Place) -> None:
    """The sets show their repository; a damaged manifest is an error, and all sets stay."""
    rotated(place)
    os.unlink(f"{place.master}.manifest")
    assert len(rotated(place, MONDAY + WEEK).removal.removed) == 1
    before = files(place.images)
    Path(f"{place.master}.manifest").write_bytes(b"\xff\xfe\n")
    with pytest.raises(RepositoryIncomplete):
        rotated(place, MONDAY + 2 * WEEK)
    assert files(place.images) == before


def test_many_dated_sets_take_seconds(place: Place) -> None:
    """With CSF_TEST_SCALE=10 there are a thousand; nearly all are removed in one run."""
    count = scaled(100)
    made = rotated(place, SUNDAY).filled.image
    for number in range(1, count):
        dated_copy(made.path, number + 1, SUNDAY + number * DAY / 4)
    began = time.monotonic()
    last = rotated(place, SUNDAY + count * DAY / 4 + WEEK, retention=Retention(dated=2))
    assert not last.removal.removed
    assert last.problem is not None
    kept = time.monotonic() - began
    at = SUNDAY + count * DAY / 4 + 2 * WEEK
    last = rotated(place, at, retention=Retention(dated=2), accepted=True)
    print(f"{count} sets: {kept:.2f} s, {time.monotonic() - began - kept:.2f} s with removal")
    assert len(receipts_in(place.images)) == 2 + (last.filled.placement.place != "dated")


def test_many_databases_take_seconds(place: Place) -> None:
    """With CSF_TEST_SCALE=20 there are 20,000."""
    count = scaled(1000)
    for number in range(count):
        (place.repository / f"Class{number}.db").touch()
    began = time.monotonic()
    for week in range(2):
        assert rotated(place, MONDAY + week * WEEK).problem is None
    print(f"{count} databases: {(time.monotonic() - began) / 2:.2f} s a rotation")
    assert len(receipts_in(place.images)) == 1


@pytest.mark.parametrize("call", ["look", "read_directory"])
def test_a_directory_that_cannot_be_read_is_reported_and_the_next_one_taken(
    place: Place, tmp_path: Path, call: str
) -> None:
    """Its disk may be broken."""
    second = tmp_path / "second"
    second.mkdir()
    tops = (place.images, second)
    made = {rotated(place, MONDAY + day * DAY, *tops).filled.image for day in (0, 1)}

    class Broken(TimedHost):
        def look(self, paths: Iterable[str]) -> list[Facts]:
            return super().look(self._sound(paths, "look"))

        def read_directory(self, path: str, ending: str) -> Any:
            (sound,) = self._sound([path], "read_directory")
            return super().read_directory(sound, ending)

        def _sound(self, paths: Iterable[str], asked: str) -> list[str]:
            listed = list(paths)
            if asked == call and any(path.startswith(str(place.images)) for path in listed):
                raise OSError(errno.EIO, os.strerror(errno.EIO), listed[0])
            return listed

    for day in (7, 8):
        last = rotated(place, MONDAY + day * DAY, *tops, host=Broken(MONDAY + day * DAY))
        assert last.filled.image.path.startswith(str(second))
        assert any("Input/output error" in warning for warning in last.warnings)
    there = {one.path for one in made if one.path.startswith(str(place.images))}
    assert there <= {*receipts_in(place.images)}


def test_a_directory_whose_disk_is_not_mounted_is_reported_and_the_next_one_taken(
    place: Place, tmp_path: Path
) -> None:
    """Receipts in the other directory show where a disk should be mounted."""
    second = tmp_path / "second"
    second.mkdir()

    class Mounted(TimedHost):
        mount = str(place.images)

        def look(self, paths: Iterable[str]) -> list[Facts]:
            return [
                at._replace(mount=self.mount) if at.resolved.startswith(str(place.images)) else at
                for at in super().look(paths)
            ]

    class Unmounted(Mounted):
        mount = "/"

    for day in range(10):
        at = MONDAY + day * DAY
        host = (Mounted if day < 2 else Unmounted)(at)
        last = rotated(place, at, place.images, second, host=host, every=DAY.total_seconds())
        if day >= 2:
            assert last.filled.image.path.startswith(str(second))
            assert any("its disk is not mounted" in warning for warning in last.warnings)
    # The file system in its place has no promise.
    (promise,) = place.images.glob("csf-backup-promise-*")
    assert f'"started": "{(MONDAY + DAY).isoformat()}"' in promise.read_text()


def test_nothing_is_removed_once_the_new_set_has_gone(place: Place) -> None:
    """A broken disk or a person may have removed it, and the older set is the only one."""
    made = rotated(place).filled.image

    class Losing(TimedHost):
        def lock(self, *arguments: Any, **options: Any) -> Any:
            for image in receipts_in(place.images).keys() - {made.path}:
                os.unlink(f"{image}.receipt.json")
            return super().lock(*arguments, **options)

    removal = rotated(place, MONDAY + WEEK, host=Losing(MONDAY + WEEK)).removal
    assert "nothing was removed, since" in removal.warnings[0]
    assert {*receipts_in(place.images)} == {made.path}


def test_a_name_that_is_taken_is_followed_by_another(place: Place) -> None:
    """Another repository of the same file name may rotate in the same second."""
    monday = place.images / "monday"
    monday.mkdir()
    taken = [monday / f"lib-2026-11-23-021000{again}.img" for again in ("", "-2")]
    for path in taken:
        path.touch()
    assert rotated(place).filled.image.path.endswith("/lib-2026-11-23-021000-3.img")


def test_names_are_not_tried_for_ever(place: Place) -> None:
    """If so many names are taken, something is wrong."""
    monday = place.images / "monday"
    monday.mkdir()
    for again in ("", *(f"-{attempt}" for attempt in range(2, 10))):
        (monday / f"lib-2026-11-23-021000{again}.img").touch()
    with pytest.raises(ImageExists, match="-9.img exists"):
        rotated(place)


def test_a_manifest_that_was_rebuilt_tells_which_databases_there_are(place: Place) -> None:
    """A database of the last set that is gone then causes no suspicion."""
    rotated(place, MONDAY)
    (place.repository / "Book.db").unlink()
    change_manifest(
        Repository(place.master),
        ManifestChange.parse(rebuild=True, moved=False, copied=False, image=None, add=(), drop=()),
        0,
        LocalHost(),
        Memory(),
    )
    made = rotated(place, MONDAY + DAY)
    assert made.problem is None
    assert receipts_in(place.images)[made.filled.image.path].suspicions == ()


def test_little_room_is_a_warning(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """The warning has the free and the necessary room."""
    look = LocalHost.look

    def nearly_full(host: LocalHost, paths: Any) -> list[Facts]:
        return [at._replace(free=2_000_000) for at in look(host, paths)]

    (place.repository / "Book.db").write_bytes(os.urandom(900_000))
    monkeypatch.setattr(LocalHost, "look", nearly_full)
    (warning,) = (w for w in rotated(place).warnings if "more sets" in w)
    assert "has 2,000,000 bytes free, which is less than 3 more sets of " in warning
