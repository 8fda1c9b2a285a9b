"""Receipts of backups that do not exist, for tests of what reads them."""

from __future__ import annotations

from typing import Any

from csf_backup_plugin.image import receipt_format
from csf_backup_plugin.image.path import ImagePath
from csf_backup_plugin.image.receipt import Origin, Receipt

ID = "1" * 32
MACHINE_ID = "a" * 32
STARTED = "2026-11-25T02:10:00+00:00"


def made(path: str, number: int | None, **others: Any) -> Receipt:
    """Return the contents of an image's receipt.

    Args:
        path: the image's.
        number: of the backup.
        others: what is not as usual, of `Origin` and `Receipt`.
    """
    usual = {"id": ID, "machine_id": MACHINE_ID, "machine": "db1", "settled": True, "mounts": {}}
    origin = Origin(number=number, **{key: others.pop(key, value) for key, value in usual.items()})
    master = others.pop("master", "/r/lib.db")
    fields = {
        "master": master,
        "databases": {master: 1},
        "size": 1,
        "sha256": None,
        "import_file_sha256": "",
        "started": STARTED,
        "image": ImagePath("db1", path),
    }
    fields = {**fields, **others}
    return Receipt(**{"after": fields["databases"], "changed": (), **fields}, origin=origin)


def receipt_of(made: Receipt) -> bytes:
    """Return a receipt with these contents."""
    return receipt_format.encode(
        made, finished=STARTED, osbackup=None, shared_disk="no", proven_by="a test"
    )


def receipts(*all_made: Receipt) -> dict[str, bytes]:
    """Return the receipts, by path."""
    return {one.image.receipt: receipt_of(one) for one in all_made}
