"""What a receipt says of an image, read back."""

from __future__ import annotations

import pytest

from csf_backup_plugin import proven, receipt
from csf_backup_plugin.image_path import ImagePath


def test_a_receipt_that_leaves_something_out_is_none() -> None:
    """Sealed or not: nobody can be sure of an image it says too little of."""
    with pytest.raises(receipt.CorruptReceipt, match="does not tell 'master'"):
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
