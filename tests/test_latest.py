"""HOST:DIR/latest: which image is meant."""

from __future__ import annotations

import pytest

from csf_backup_plugin import receipt
from csf_backup_plugin.errors import FaultFound
from csf_backup_plugin.image_path import ImagePath
from csf_backup_plugin.latest import resolve
from doubles import MemoryHost

LATEST = ImagePath("db1", "/b/latest")


def sealed(started: str) -> bytes:
    """Return a receipt of a backup that began then."""
    facts = {"host": "db1", "image": "/b/x", "master": "/r/lib.db", "databases": {"/r/lib.db": 1}}
    digests = {"image_bytes": 1, "image_sha256": None, "import_file_sha256": ""}
    return receipt.encode({**facts, **digests, "started": started})


def test_any_other_name_is_an_images_own() -> None:
    """Whether it is there or not."""
    image = ImagePath("db1", "/b/latest.img")
    assert resolve(image, MemoryHost({})) == image


def test_it_is_the_image_whose_backup_began_last() -> None:
    """Files without a receipt, and receipts in other directories, do not count."""
    host = MemoryHost(
        {
            "/b/new": b"",
            "/b/mon.receipt.json": sealed("2026-11-23T02:10:00+00:00"),
            "/b/tue.receipt.json": sealed("2026-11-24T02:10:00+00:00"),
            "/b/sun.receipt.json": sealed("2026-11-22T02:10:00+00:00"),
            "/c/wed.receipt.json": sealed("2026-11-25T02:10:00+00:00"),
        },
        ["/b/dir.receipt.json"],
    )
    assert resolve(LATEST, host) == ImagePath("db1", "/b/tue")


def test_of_two_that_began_together_the_last_by_name_is_taken() -> None:
    """Always the same one."""
    names = ("/b/a.receipt.json", "/b/c.receipt.json", "/b/b.receipt.json")
    host = MemoryHost(dict.fromkeys(names, sealed("2026-11-22T00:00:00+00:00")))
    assert resolve(LATEST, host) == ImagePath("db1", "/b/c")


def test_a_damaged_receipt_is_passed_over_and_told() -> None:
    """It might be the newest, but nobody can know."""
    notes: list[str] = []
    host = MemoryHost(
        {"/b/a.receipt.json": sealed("2026-11-22T00:00:00+00:00"), "/b/b.receipt.json": b"{}"},
    )
    assert resolve(LATEST, host, notes.append) == ImagePath("db1", "/b/a")
    (note,) = notes
    assert note.startswith("passed over: The receipt db1:/b/b.receipt.json is damaged: ")


def test_without_any_there_is_no_latest() -> None:
    """The refusal says what to do; nobody has to listen."""
    host = MemoryHost({"/b/a": b"", "/b/b.receipt.json": b"{}"})
    with pytest.raises(FaultFound, match="/b holds no image with a sound receipt") as caught:
        resolve(LATEST, host)
    assert "admin_database_verify" in caught.value.next_step


def test_of_a_repository_only_its_own_images_count() -> None:
    """Two repositories may have their images in one directory."""
    other = receipt.encode(
        {
            **receipt.decode(sealed("2026-11-25T00:00:00+00:00")),
            "master": "/q/x.db",
            "databases": {"/q/x.db": 1},
        }
    )
    host = MemoryHost(
        {
            "/b/a.receipt.json": sealed("2026-11-22T00:00:00+00:00"),
            "/b/b.receipt.json": other,
        }
    )
    assert resolve(LATEST, host).path == "/b/b"
    own = receipt.decode(host.files["/b/a.receipt.json"])["master"]
    assert resolve(LATEST, host, master=own).path == "/b/a"
    with pytest.raises(FaultFound, match="no image of /no.db with a sound receipt"):
        resolve(LATEST, host, master="/no.db")
