"""What a receipt says of an image, read back."""

from __future__ import annotations

import pytest

from csf_backup_plugin import proven, receipt
from csf_backup_plugin.image_path import ImagePath


def test_a_receipt_that_leaves_something_out_is_none() -> None:
    """Sealed or not: nobody can be sure of an image it says too little of."""
    with pytest.raises(receipt.CorruptReceipt, match="does not tell 'databases'"):
        proven.decode(receipt.encode({"image": "/b/a.img"}))


def test_what_is_encoded_is_decoded() -> None:
    """With what is known of how it was made."""
    made = proven.Proven(
        "/r/lib.db",
        {"/r/lib.db": None},
        5,
        None,
        "digest",
        "2026-11-23T02:10:00+00:00",
        ImagePath("db1", "/b/a.img"),
    )
    data = proven.encode(made, osbackup=None, shared_disk="no", proven_by="admin_database_verify")
    assert proven.decode(data) == made
    facts = receipt.decode(data)
    assert (facts["osbackup"], facts["shared_disk"]) == (None, "no")
    assert facts["producer"].startswith("csf-backup-plugin ")


SOUND = {
    "master": "/r/lib.db",
    "databases": {"/r/lib.db": 3, "/r/b.db": None},
    "image_bytes": 5,
    "image_sha256": None,
    "import_file_sha256": "0",
    "started": "2026-11-25T02:10:00+00:00",
    "host": "db1",
    "image": "/b/a.img",
}


@pytest.mark.parametrize(
    "wrong",
    [
        {"databases": []},
        {"databases": {"/r/lib.db": -1}},
        {"databases": {"/r/lib.db": True}},
        {"master": "/elsewhere.db"},
        {"image_bytes": "5"},
        {"image_sha256": 5},
        {"host": None},
        {"started": 17},
        {"started": "soon"},
        {"started": "2026-11-25T02:10:00"},
    ],
)
def test_a_sealed_receipt_says_only_what_a_backup_writes(wrong: dict[str, object]) -> None:
    """Whoever reads one may rely on that."""
    assert proven.decode(receipt.encode(SOUND)).master == "/r/lib.db"
    with pytest.raises(receipt.CorruptReceipt, match="no backup writes"):
        proven.decode(receipt.encode({**SOUND, **wrong}))


def test_a_receipt_without_end_is_none() -> None:
    """Deep as it is."""
    with pytest.raises(receipt.CorruptReceipt):
        proven.decode(b"[" * 100_000)
