"""A recovery card is written after the receipts, replaces no foreign file, and fails no command."""

from __future__ import annotations

import errno
import threading
from typing import TYPE_CHECKING

import pytest
from cards import besides_cards, is_of_a_card
from rotating import DAY, MONDAY, WEEK, TimedHost, rotated
from sets_in_memory import OTHERS, add_set, host_with

from csf_backup_plugin.errors import BackupError, FaultFound, HostUnreachable, Interrupted
from csf_backup_plugin.hosts.local.host import LocalHost
from csf_backup_plugin.image.catalog import read_catalog
from csf_backup_plugin.image.path import ImagePath
from csf_backup_plugin.operations.backup import back_up
from csf_backup_plugin.operations.backup.request import BackupRequest
from csf_backup_plugin.operations.drill import drill
from csf_backup_plugin.operations.drill.request import DrillRequest
from csf_backup_plugin.operations.recovery_card import write_cards
from csf_backup_plugin.operations.rotate.plan import Retention
from doubles import Memory, MemoryHost

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Place, Tools

IMAGE = ImagePath("db1", "/b/2.img")
CARD, LOCK = "/b/RESTORE.txt", "/b/.csf-card.lock"
OSRESTORE = """
[ "$1" = -t ] && exec tar -tP --quoting-style=literal -f "$3"
exec tar -xP -f "$2" --transform "s:^$3:$4:" 2>&1
"""


def text_of(host: MemoryHost, path: str = CARD) -> str:
    """Return the text of an existing card."""
    return host.files[path].decode()


def backup(place: Place, *, dry_run: bool = False) -> tuple[str, ...]:
    """Back the place up; return the warnings about cards."""
    request = BackupRequest.parse(place.master, f"localhost:{place.image}", dry_run=dry_run)
    warnings = back_up(request, LocalHost(), Memory()).warnings
    return tuple(text for text in warnings if "RESTORE.txt" in text)


def card_of(place: Place) -> str:
    """Return the card of the place's images."""
    return (place.images / "RESTORE.txt").read_text(encoding="utf-8")


def test_each_directory_has_a_card_of_all_its_repositories() -> None:
    """It includes sets that another command has made there; afterwards its lock is free."""
    host = host_with(1, 2)
    add_set(host, "/b/x.img", 7, OTHERS, "/r/x.db")
    add_set(host, "/c/3.img", 3)
    images = [IMAGE, ImagePath("db1", "/c/3.img"), ImagePath("db1", "/b/1.img")]
    assert write_cards(images, host) == []
    assert "\nNewest proven set: backup 2\n" in text_of(host)
    assert "\nMaster database /r/lib.db\n" in text_of(host)
    assert "\nMaster database /r/x.db\n" in text_of(host)
    assert "\n  image      /c/3.img\n" in text_of(host, "/c/RESTORE.txt")
    assert "/b/" not in text_of(host, "/c/RESTORE.txt")
    assert host.locked == {}


def test_the_places_of_a_rotation_are_on_the_card_above_them() -> None:
    """The places themselves have no cards."""
    host = host_with(1)
    add_set(host, "/b/monday/2.img", 2)
    assert write_cards([ImagePath("db1", "/b/monday/2.img")], host) == []
    assert "\n  image      /b/monday/2.img\n" in text_of(host)
    assert not any(path.startswith("/b/monday/") for path in host.files if is_of_a_card(path))


def test_a_card_is_no_image_and_nothing_that_was_skipped() -> None:
    """Neither is its lock file."""
    host = host_with(1, 2)
    before = read_catalog(IMAGE, host)
    assert write_cards([IMAGE], host) == []
    after = read_catalog(IMAGE, host)
    assert (after.sets, after.skipped) == (before.sets, before.skipped)


def test_an_image_whose_receipt_cannot_be_used_is_named() -> None:
    """An image without a receipt does not count."""
    host = host_with(1, 2)
    host.files["/b/2.img.receipt.json"] += b" "
    host.files["/b/3.img.dbn"] = b"/r/lib.db\n"
    assert write_cards([IMAGE], host) == []
    assert "\nNewest proven set: backup 1\n" in text_of(host)
    assert "\n  db1:/b/2.img has a receipt that is damaged: " in text_of(host)
    assert "3.img" not in text_of(host)


def test_a_file_that_is_none_of_ours_stays() -> None:
    """The warning names the file, and what to do."""
    host = host_with(1, 2)
    host.files[CARD] = b"how our tapes are restored"
    (warning,) = write_cards([IMAGE], host)
    assert warning == (
        f"the recovery card {CARD} was not written: that file is none of ours, and was left as it "
        "is. Move it away; the next backup writes the card"
    )
    assert host.files[CARD] == b"how our tapes are restored"
    assert LOCK not in host.files


def test_a_link_is_none_of_ours() -> None:
    """The target of the link is not overwritten."""
    host = host_with(1, 2)
    host.links[CARD] = "/r/lib.db"
    host.files["/r/lib.db"] = b"data"
    (warning,) = write_cards([IMAGE], host)
    assert warning.startswith(f"the recovery card {CARD} was not written: ")
    assert (host.links[CARD], host.files["/r/lib.db"]) == ("/r/lib.db", b"data")


@pytest.mark.parametrize(
    ("error", "why"),
    [
        (OSError(errno.ENOSPC, "Disk full", CARD), f"Disk full: {CARD} on db1"),
        (HostUnreachable("The connection to db1 was cut.", ""), "The connection to db1 was cut"),
        (Interrupted(15, "The backup"), "a signal asked the command to end"),
        (KeyError("x"), "This is a fault of csf-backup-plugin; please report it. KeyError: 'x'"),
    ],
)
def test_a_card_that_cannot_be_written_is_a_warning(
    error: Exception, why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The old card is unchanged, and the other directory gets its own."""
    host = host_with(1)
    assert write_cards([IMAGE], host) == []
    before = host.files[CARD]
    add_set(host, "/b/2.img", 2)
    add_set(host, "/c/3.img", 3)
    replace = host.replace

    def failing(path: str, data: bytes) -> str:
        if path == CARD:
            raise error
        return replace(path, data)

    monkeypatch.setattr(host, "replace", failing)
    (warning,) = write_cards([IMAGE, ImagePath("db1", "/c/3.img")], host)
    assert warning.startswith(f"the recovery card {CARD} was not written: {why}")
    assert host.files[CARD] == before
    assert "/c/RESTORE.txt" in host.files


def test_a_lock_that_another_command_keeps_is_a_warning() -> None:
    """It is held only briefly, so the other command must be stuck."""
    host = host_with(1, 2)
    host.locked[LOCK] = "the recovery card"
    (warning,) = write_cards([IMAGE], host)
    held = f"another command has held {LOCK} for 10 s"
    assert warning == f"the recovery card {CARD} was not written: {held}"
    assert CARD not in host.files


@pytest.mark.usefixtures("tools")
def test_of_two_runs_at_once_the_later_one_finds_the_receipt_of_the_other(place: Place) -> None:
    """The directory is read under the lock."""
    backup(place)
    image = ImagePath("localhost", place.image)
    lock = str(place.images / ".csf-card.lock")
    thread = threading.Thread(target=write_cards, args=([image], LocalHost()))
    with LocalHost().lock(lock, "a test", 0, lambda _: None):
        thread.start()
        for ending in ("", ".dbn", ".receipt.json"):
            (place.images / f"b.img{ending}").write_bytes(
                (place.images / f"a.img{ending}").read_bytes()
            )
    thread.join()
    assert f": {place.images}/b.img\n" in card_of(place)


def test_a_backup_writes_the_card_and_a_dry_run_or_a_failed_one_none(
    place: Place, tools: Tools
) -> None:
    """These two have changed nothing."""
    backup(place, dry_run=True)
    assert list(place.images.iterdir()) == []
    tools.write("osbackup", "exit 1")
    with pytest.raises(BackupError):
        backup(place)
    assert list(place.images.iterdir()) == []


@pytest.mark.usefixtures("tools")
def test_a_backup_whose_card_cannot_be_written_is_a_backup(place: Place) -> None:
    """A missing card does not fail a backup."""
    (place.images / "RESTORE.txt").mkdir()
    (warning,) = backup(place)
    assert warning.startswith(f"the recovery card {place.images}/RESTORE.txt was not written: ")
    assert besides_cards(place.images) == ["a.img", "a.img.dbn", "a.img.receipt.json"]


def test_a_drill_is_on_the_card_and_one_that_failed_too(place: Place, tools: Tools) -> None:
    """An image that failed a drill is no longer recommended."""
    tools.write("osrestore", OSRESTORE)
    (place.images.parent / "scratch").mkdir()
    backup(place)
    first, place.image = place.image, str(place.images / "b.img")
    backup(place)
    scratch = str(place.images.parent / "scratch")
    request = DrillRequest.parse(f"localhost:{place.image}", scratch)
    drill(request, LocalHost(), Memory())
    assert f"\n  image      {place.image}\n" in card_of(place)
    assert "\n  drilled    sound, " in card_of(place)
    tools.write("osrestore", '[ "$1" != -t ] || exec tar -tP --quoting-style=literal -f "$3"')
    (place.images / "RESTORE.txt").chmod(0o444)  # it is replaced, not written to
    with pytest.raises(FaultFound) as failed:
        drill(request, LocalHost(), Memory())
    assert "It is on record in " in failed.value.left
    assert f"\n  image      {first}\n" in card_of(place)
    assert f"! backup 2 is newer, and was found at fault: {place.image}\n" in card_of(place)
    (place.images / "RESTORE.txt").write_text("none of ours")
    with pytest.raises(FaultFound, match="that file is none of ours"):
        drill(request, LocalHost(), Memory())


@pytest.mark.usefixtures("tools")
def test_a_rotation_names_the_new_set_and_none_that_it_has_removed(
    place: Place, tmp_path: Path
) -> None:
    """A directory in which it has changed nothing keeps its card, or gets none."""
    (tmp_path / "other").mkdir()
    tops = place.images, tmp_path / "other"
    old = rotated(place, MONDAY, *tops).filled.image
    top = next(top for top in tops if str(top) in old.path)
    other = next(one for one in tops if one != top)
    assert f"\n  image      {old.path}\n" in (top / "RESTORE.txt").read_text()
    assert list(other.iterdir()) == []
    for day in range(1, 8):
        made = rotated(place, MONDAY + day * DAY, *tops)
    assert list(made.removal.removed) == [old]
    assert all(old.path not in (one / "RESTORE.txt").read_text() for one in tops)


@pytest.mark.usefixtures("tools")
def test_a_rotation_that_is_asked_to_end_while_it_writes_the_card_goes_no_further(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The new set is proven, and nothing is removed."""
    rotated(place, MONDAY, retention=Retention(dated=1))
    host = TimedHost(MONDAY + WEEK)
    replace = host.replace

    def stopped(path: str, data: bytes, like: str | None = None) -> str:
        if is_of_a_card(path):
            host.cancellation.cancel(15)
            host.cancellation.check()
        return replace(path, data, like)

    monkeypatch.setattr(host, "replace", stopped)
    with pytest.raises(Interrupted) as ended:
        rotated(place, host=host)
    assert "The new backup is made and proven: " in ended.value.left
    assert len(list((place.images / "monday").glob("*.receipt.json"))) == 2
