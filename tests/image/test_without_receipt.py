"""Messages about images without a receipt."""

from __future__ import annotations

import errno

import pytest

from csf_backup_plugin.image import copy_record
from csf_backup_plugin.image.copy_record import CopyRecord
from csf_backup_plugin.image.path import ImagePath
from csf_backup_plugin.image.without_receipt import is_there, left_behind, without_receipt
from doubles import MemoryHost

IMAGE = ImagePath("db1", "/b/a.img")
PROVE = "csf admin_database_prove -image-file db1:/b/a.img"
BY_HAND = "osrestore -t -f /b/a.img shows what is in it."


def host(status: bytes | None, **others: bytes) -> MemoryHost:
    """Return a host with an image, and a record of how its osbackup ended."""
    files = {"/b/a.img": b"image", "/b/a.img.dbn": b"/r/lib.db\n"}
    if status is not None:
        files |= {"/b/a.img.run/status": status, "/b/a.img.run/pid": b"4711 boot\n"}
    return MemoryHost(files | others)


def test_where_osbackup_has_succeeded_prove_is_named() -> None:
    """Everything that prove needs is there."""
    error = without_receipt(IMAGE, host(b"0"))
    assert error.what.startswith(
        "db1:/b/a.img has no receipt (/b/a.img.receipt.json): that image is not proven"
    )
    assert error.findings == (
        "osbackup has succeeded, as /b/a.img.run says, and csf may have been killed",
    )
    assert error.next_step == f"This gives it its receipt: {PROVE}"
    text = left_behind(IMAGE, host(b"0"))
    assert text.startswith("\nIt has no receipt, so it is not a backup: osbackup has succeeded")
    assert text.endswith(PROVE)


def test_where_osbackup_may_be_at_work_its_end_is_to_be_waited_for() -> None:
    """The process is named, with prove for later; missing files may still appear."""
    there = host(b"running")
    del there.files["/b/a.img"]
    error = without_receipt(IMAGE, there)
    assert error.findings == (
        "osbackup (process group 4711) may still be writing it, as /b/a.img.run says",
    )
    assert error.next_step.startswith("When that has ended, ")
    assert error.next_step.endswith(PROVE)
    assert "process group 4711" in left_behind(IMAGE, there)


@pytest.mark.parametrize("status", [b"1", b"", None])
def test_what_cannot_be_proven_says_what_to_do(status: bytes | None) -> None:
    """A backup that has just begun has no record yet."""
    error = without_receipt(IMAGE, host(status))
    assert error.next_step.startswith("If its backup is running, wait until it has ended.")
    assert error.next_step.endswith(BY_HAND)
    assert "prove" not in str(error).replace("proven", "")
    assert left_behind(IMAGE, host(status)).endswith(BY_HAND)


def test_an_image_that_lacks_something_cannot_be_proven() -> None:
    """The success of osbackup is not enough."""
    there = host(b"0")
    del there.files["/b/a.img.dbn"]
    error = without_receipt(IMAGE, there)
    assert error.findings == ("the import file /b/a.img.dbn is missing",)
    assert error.next_step.endswith(BY_HAND)


def test_of_nothing_it_is_said_that_there_is_no_image() -> None:
    """The name was mistyped."""
    there = MemoryHost({})
    assert not is_there(IMAGE, there)
    assert without_receipt(IMAGE, there).what == "There is no image db1:/b/a.img."
    there.files["/b/a.img"] = b""
    assert is_there(IMAGE, there)


def test_only_of_what_a_killed_csf_may_have_left_it_is_told_that_it_has_no_receipt() -> None:
    """Other files and complete backups are not reported in this way."""
    assert left_behind(IMAGE, MemoryHost({"/b/a.img": b"a letter"})) == ""
    there = host(b"0")
    there.files["/b/a.img.receipt.json"] = b"{}"
    assert left_behind(IMAGE, there) == ""


@pytest.mark.parametrize("is_usable", [True, False])
def test_a_copy_that_was_killed_is_reported_from_a_backup(*, is_usable: bool) -> None:
    """The message names its original, if its record can be used, and what to do."""
    there = MemoryHost({"/b/a.img.copying.part": b"half"})
    record = CopyRecord("db2:/x/a.img", "process 7 on driver", "2026-11-25", ("1", 1, "", 1, ""))
    there.files[IMAGE.copying] = copy_record.encode(record) if is_usable else b"what?"
    error = without_receipt(IMAGE, there)
    (finding,) = error.findings
    if is_usable:
        assert finding == (
            "it is a copy of db2:/x/a.img (by process 7 on driver, since 2026-11-25) that is being "
            "made, or was killed"
        )
        assert error.next_step.endswith("admin_database_copy -image-file db2:/x/a.img -to db1:/b")
    else:
        assert finding.endswith("or was killed, as /b/a.img.copying says")
        assert error.next_step.startswith("If no csf is making it, remove its files")
    assert left_behind(IMAGE, there).endswith(error.next_step)
    assert is_there(IMAGE, there)


def test_an_import_file_of_another_user_is_a_finding() -> None:
    """The name is used, and the image has no receipt."""
    there = host(b"0")
    refused = PermissionError(errno.EACCES, "Permission denied", "/b/a.img.dbn")
    there.unreadable["/b/a.img.dbn"] = refused
    why = "the import file /b/a.img.dbn cannot be read: Permission denied"
    assert without_receipt(IMAGE, there).findings == (why,)
    text = left_behind(IMAGE, there)
    assert text.startswith(f"\nIt has no receipt, so it is not a backup: {why}.\n")
    assert text.endswith(BY_HAND)
