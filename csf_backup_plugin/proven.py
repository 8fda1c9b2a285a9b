"""What the receipt beside an image says of it: only an image with one counts as a backup."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from csf_backup_plugin import receipt
from csf_backup_plugin.errors import FaultFound
from csf_backup_plugin.names import shown

if TYPE_CHECKING:
    from collections.abc import Mapping

    from csf_backup_plugin.hosts.protocol import Host
    from csf_backup_plugin.image_path import ImagePath


class Proven(NamedTuple):
    """An image as its receipt knows it.

    Attributes:
        master: the repository's master database.
        databases: the bytes of each database in the image, by path; the master database first.
        size: the image's bytes.
        sha256: its SHA-256 in hexadecimal, or None if none was taken.
        import_file_sha256: the import file's.
        started: when the backup began, in ISO 8601: work since then is not in it.
    """

    master: str
    databases: Mapping[str, int | None]
    size: int
    sha256: str | None
    import_file_sha256: str
    started: str


def read_receipt(image: ImagePath, host: Host) -> Proven:
    """Return what the receipt of an image says.

    Raises:
        FaultFound: there is none, or it is not as it was written.
        OSError: it cannot be read.
    """
    data = host.read(image.receipt)
    if data is None:
        raise FaultFound(
            f"{image} has no receipt ({shown(image.receipt)}): nobody has proven that image.",
            f"Prove it: csf admin_database_verify -image-file {image}",
        )
    try:
        return decode(data)
    except receipt.CorruptReceipt as error:
        raise FaultFound(
            f"The receipt {image.host}:{shown(image.receipt)} is damaged: {error}.",
            "Use another image; or move the receipt away and prove the image afresh: "
            f"csf admin_database_verify -image-file {image}",
        ) from None


def decode(data: bytes) -> Proven:
    """Return what a receipt says.

    Raises:
        CorruptReceipt: it is not as it was written.
    """
    facts = receipt.decode(data)
    try:
        return Proven(
            facts["master"],
            facts["databases"],
            facts["image_bytes"],
            facts["image_sha256"],
            facts["import_file_sha256"],
            facts["started"],
        )
    except KeyError as error:
        raise receipt.CorruptReceipt(f"it does not tell {error}") from None
