"""The images in a directory, and what is ignored."""

from __future__ import annotations

import errno
import json

import pytest
from receipts import ID, made, receipt_of, receipts

from csf_backup_plugin.hosts.protocol.values import Entry
from csf_backup_plugin.image.catalog import read_catalog, read_listable_catalog
from csf_backup_plugin.image.path import ImagePath
from doubles import MemoryHost

LATEST = ImagePath("db1", "/b/latest")


def unsealed(schema: str) -> bytes:
    """Return a document with another schema."""
    return json.dumps({"schema": schema, "~sha256": ""}).encode()


def test_sound_receipts_are_image_sets() -> None:
    """Receipts in other directories do not count; directories with such names are reported."""
    files = receipts(made("/b/mon", 1), made("/b/tue", 2), made("/c/wed", 3))
    host = MemoryHost({**files, "/b/mon": b"", "/b/mon.dbn": b""}, ["/b/dir.receipt.json"])
    host.modified["/b/tue.receipt.json"] = 17.5
    catalog = read_catalog(LATEST, host)
    assert [(one.image.path, one.modified) for one in catalog.sets] == [
        ("/b/mon", 0.0),
        ("/b/tue", 17.5),
    ]
    assert [(one.image.path, one.why) for one in catalog.skipped] == [
        ("/b/dir", "has a receipt that cannot be read: Not a file"),
    ]
    assert (catalog.number(ID), catalog.number("other"), catalog.number(None)) == (2, 0, 0)


def test_a_copy_is_where_it_is_now() -> None:
    """The path in its receipt does not matter."""
    (one,) = read_catalog(
        LATEST, MemoryHost({"/b/copy.receipt.json": receipt_of(made("/x", 1))})
    ).sets
    assert one.image.path == "/b/copy"


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"{}", "has a receipt that is damaged: not a receipt"),
        (unsealed("csf-backup/1"), "has a receipt that cannot be used: it is of an unreleased"),
        (unsealed("csf-backup/receipt/2"), "has a receipt that cannot be used: it is of a newer"),
        (unsealed("csf-backup/drill/1"), "has a receipt that is damaged: not of schema"),
        (PermissionError(errno.EACCES, "Denied"), "has a receipt that cannot be read: Denied"),
    ],
)
def test_a_receipt_that_cannot_be_used_is_skipped(data: bytes | OSError, why: str) -> None:
    """Its import file shows the repository, if it can be read."""
    host = MemoryHost({"/b/a.receipt.json": b"", "/b/a.dbn": b"/r/lib.db\n/r/x.db\n"})
    if isinstance(data, bytes):
        host.files["/b/a.receipt.json"] = data
    else:
        host.unreadable["/b/a.receipt.json"] = data
    host.modified["/b/a.receipt.json"] = 3.0
    (one,) = read_catalog(LATEST, host).skipped
    assert str(one).startswith(f"db1:/b/a {why}")
    assert (one.master, one.modified, one.has_receipt) == ("/r/lib.db", 3.0, True)
    for contents in (b"", b"torn"):
        host.files["/b/a.dbn"] = contents
        assert read_catalog(LATEST, host).skipped[0].master is None
    host.unreadable["/b/a.dbn"] = OSError(errno.EIO, "Input/output error")
    assert read_catalog(LATEST, host).skipped[0].master is None


def test_a_set_without_a_receipt_is_skipped() -> None:
    """Its backup may still be running."""
    host = MemoryHost({"/b/a.dbn": b"/r/lib.db\n", "/b/b": b""})
    host.modified["/b/a.dbn"] = 4.0
    (one,) = read_catalog(LATEST, host).skipped
    assert str(one) == "db1:/b/a has no receipt: its backup is running, or did not end well"
    assert (one.master, one.modified, one.has_receipt) == ("/r/lib.db", 4.0, False)


def test_a_set_whose_osbackup_is_on_record_names_what_proves_it() -> None:
    """Its csf may have been killed."""
    host = MemoryHost({"/b/a.dbn": b"/r/lib.db\n", "/b/a.run/status": b"0"})
    (one,) = read_catalog(LATEST, host).skipped
    assert str(one).endswith(": csf admin_database_prove -image-file db1:/b/a")


def test_the_part_of_a_copy_whose_record_is_gone_is_skipped() -> None:
    """Nothing else would ever name it, and it may be as large as an image."""
    host = MemoryHost({"/b/a.img.copying.part": b"half"}, ["/b"])
    (one,) = read_catalog(ImagePath("db1", "/b/latest"), host).skipped
    assert str(one) == (
        "db1:/b/a.img is the part (.copying.part) of a copy whose record is gone; remove it by "
        "hand, since no copy replaces it"
    )
    assert not one.is_copy


def test_a_directory_in_a_receipts_place_is_a_receipt_that_cannot_be_read() -> None:
    """It is not reported as missing."""
    host = MemoryHost({"/b/a.dbn": b"/r/lib.db\n"}, ["/b/a.receipt.json"])
    error = OSError(errno.EINVAL, "Not a file", "/b/a.receipt.json")
    host.unreadable["/b/a.receipt.json"] = error
    (one,) = read_catalog(LATEST, host).skipped
    assert str(one) == "db1:/b/a has a receipt that cannot be read: Not a file"
    assert one.has_receipt


def test_what_went_away_meanwhile_is_no_matter() -> None:
    """An image is removed together with its receipt."""

    class Fleeting(MemoryHost):
        def list_directory(self, path: str) -> list[Entry]:
            return [*super().list_directory(path), Entry("gone.receipt.json", "file", 1)]

    catalog = read_catalog(LATEST, Fleeting({"/b/x": b""}))
    assert (catalog.sets, catalog.skipped) == ((), ())


def test_receipts_that_cannot_be_used_are_counted() -> None:
    """They may belong to the repository, with higher numbers than its sound ones."""
    files = {f"/b/{name}.receipt.json": b"" for name in "abce"}
    beside = {"/b/a.dbn": b"/r/lib.db\n", "/b/b.dbn": b"/q/x.db\n", "/b/d.dbn": b"/r/lib.db\n"}
    host = MemoryHost({**files, **beside, **receipts(made("/b/s", 1))})
    host.modified = {"/b/a.receipt.json": 4.0, "/b/s.receipt.json": 4.0, "/b/e.receipt.json": 3.0}
    host.modified["/b/c.receipt.json"] = 5.0
    catalog = read_catalog(LATEST, host)
    assert (catalog.unusable(ID, "/r/lib.db"), catalog.unusable(ID, "/z.db")) == (2, 1)
    assert catalog.unusable(None, "/r/lib.db") == 3


def test_warnings_are_about_one_repository_and_few() -> None:
    """Receipts that may belong to any repository are reported to each."""
    files = {f"/b/{number:02}.dbn": b"/r/lib.db\n" for number in range(12)}
    catalog = read_catalog(LATEST, MemoryHost({**files, "/b/x.dbn": b"/q/x.db\n", "/b/y.dbn": b""}))
    warnings = catalog.warnings("/r/lib.db")
    assert warnings[0].startswith("skipped: db1:/b/00 has no receipt")
    assert warnings[10:] == ["3 more were skipped"]
    assert [text.split()[1] for text in catalog.warnings("/q/x.db")] == ["db1:/b/x", "db1:/b/y"]
    assert len(catalog.warnings(None)) == 11


def test_a_directory_that_cannot_be_listed_is_reported() -> None:
    """A backup can still be made there."""

    class Closed(MemoryHost):
        def list_directory(self, path: str) -> list[Entry]:
            raise PermissionError(errno.EACCES, "Permission denied", path)

    catalog, (warning,) = read_listable_catalog(LATEST, Closed({}))
    assert catalog.sets == ()
    assert warning.startswith("db1:/b cannot be listed (Permission denied): the number")
