"""Faults of the newest image, found without the code under test."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from csf_backup_plugin.image import sealed_json

if TYPE_CHECKING:
    from pathlib import Path


def why_not_well(images: Path) -> str:
    """Return the faults of the newest image, found without the code under test."""
    receipts = {
        path: sealed_json.decode(path.read_bytes()) for path in images.rglob("*.receipt.json")
    }
    if not receipts:
        return "there is none"
    newest = max(receipts, key=lambda path: receipts[path]["number"])
    image = newest.with_name(newest.name.removesuffix(".receipt.json"))
    if not image.is_file():
        return f"{image} is missing"
    if hashlib.sha256(image.read_bytes()).hexdigest() != receipts[newest]["image_sha256"]:
        return f"{image} is not what its receipt says"
    for kind, ending in ((sealed_json.DRILL, "drill"), (sealed_json.VERIFICATION, "verify")):
        record = image.with_name(f"{image.name}.{ending}.json")
        if record.exists() and sealed_json.decode(record.read_bytes(), kind)["findings"]:
            return f"{record} has findings"
    return ""
