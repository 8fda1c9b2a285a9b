"""Words and facts about an image with a receipt, for several commands."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from csf_backup_plugin.image.path import ImagePath
    from csf_backup_plugin.image.receipt import Receipt


def image_facts(
    image: ImagePath, receipt: Receipt, warnings: tuple[str, ...], seconds: float
) -> dict[str, Any]:
    """Return the facts about a sound image for the JSON document.

    Args:
        image: the image.
        receipt: its receipt.
        warnings: what the user should know although the image is sound.
        seconds: how long the check took.
    """
    return {
        "host": image.host,
        "image": image.path,
        "image_bytes": receipt.size,
        "image_sha256": receipt.sha256,
        "import_file": image.import_file,
        "receipt": image.receipt,
        "repository_id": receipt.origin.id,
        "number": receipt.origin.number,
        "master": receipt.master,
        "databases": dict(receipt.databases),
        "started": receipt.started,
        "copied_from": copied_from(receipt),
        "findings": [],
        "warnings": list(warnings),
        "seconds": round(seconds, 3),
    }


def copied_from(receipt: Receipt) -> dict[str, Any] | None:
    """Return the original of a copy, for the JSON document; None if the image is no copy."""
    copied = receipt.copied
    if copied is None:
        return None
    return {"host": copied.image.host, "image": copied.image.path, "at": copied.at}


def made_as(image: ImagePath, receipt: Receipt) -> str:
    """Return words with the original of a copy, or the old name of a moved image; else nothing.

    Args:
        image: the image.
        receipt: its receipt.
    """
    if receipt.copied:
        return f", a copy of {receipt.copied.image}"
    return "" if receipt.image == image else f", made as {receipt.image}"


def checksum(sha256: str | None) -> str:
    """Return the beginning of an image's SHA-256 in words, or that it has none."""
    return f"SHA-256 {sha256[:16]}..." if sha256 else "no checksum"


def numbered(number: int | None) -> str:
    """Return an image's backup number in words, or that it has none."""
    return f"backup {number}" if number else "without a number"
