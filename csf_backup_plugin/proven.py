"""What the receipt beside an image says of it: only an image with one counts as a backup."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from csf_backup_plugin import __version__, moments, receipt
from csf_backup_plugin.errors import FaultFound
from csf_backup_plugin.image_path import ImagePath
from csf_backup_plugin.names import command, shown

if TYPE_CHECKING:
    from collections.abc import Mapping

    from csf_backup_plugin.hosts.protocol import Host


class Proven(NamedTuple):
    """An image as its receipt knows it.

    Attributes:
        master: the repository's master database.
        databases: the bytes of each database in the image, by path; None where the image was proven
            afresh, when nobody could know them any more.
        size: the image's bytes.
        sha256: its SHA-256 in hexadecimal, or None if none was taken.
        import_file_sha256: the import file's.
        started: when the backup began, in ISO 8601: work since then is not in it.
        image: what the image was called when it was proven.
    """

    master: str
    databases: Mapping[str, int | None]
    size: int
    sha256: str | None
    import_file_sha256: str
    started: str
    image: ImagePath


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
            f"Prove it: {image.command('admin_database_verify')}",
        )
    try:
        return decode(data)
    except receipt.CorruptReceipt as error:
        raise FaultFound(
            f"The receipt {image.host}:{shown(image.receipt)} is damaged: {error}.",
            "Use another image. If this is all that is left of the databases, restore it by hand: "
            f"{command('osrestore', '-t', '-f', image.path)} shows what is in it.",
        ) from None


def encode(proven: Proven, *, osbackup: str | None, shared_disk: str, proven_by: str) -> bytes:
    """Return a receipt, written now.

    Args:
        proven: what it is to say.
        osbackup: the program that made the image, if known.
        shared_disk: whether image and databases lay on one physical disk.
        proven_by: the command that proved it.
    """
    return receipt.encode(
        {
            "producer": f"csf-backup-plugin {__version__}",
            "host": proven.image.host,
            "image": proven.image.path,
            "image_bytes": proven.size,
            "image_sha256": proven.sha256,
            "import_file_sha256": proven.import_file_sha256,
            "master": proven.master,
            "databases": dict(proven.databases),
            "osbackup": osbackup,
            "shared_disk": shared_disk,
            "proven_by": proven_by,
            "started": proven.started,
            "finished": moments.now(),
        }
    )


def decode(data: bytes) -> Proven:
    """Return what a receipt says.

    Raises:
        CorruptReceipt: it is not as it was written.
    """
    facts = receipt.decode(data)
    try:
        _check_kinds(facts)
        return Proven(
            facts["master"],
            facts["databases"],
            facts["image_bytes"],
            facts["image_sha256"],
            facts["import_file_sha256"],
            facts["started"],
            ImagePath(facts["host"], facts["image"]),
        )
    except KeyError as error:
        raise receipt.CorruptReceipt(f"it does not tell {error}") from None


def _check_kinds(facts: dict[str, Any]) -> None:
    """Refuse what no backup writes, though it is sealed; who reads it may rely on its kinds."""
    databases = facts["databases"]
    texts = (facts["master"], facts["host"], facts["image"], facts["import_file_sha256"])
    sound = (
        isinstance(databases, dict)
        and (not databases or facts["master"] in databases)
        and all(size is None or (type(size) is int and size >= 0) for size in databases.values())
        and type(facts["image_bytes"]) is int
        and all(isinstance(text, str) for text in texts)
        and isinstance(facts["image_sha256"], str | None)
        and isinstance(facts["started"], str)
        and moments.read(facts["started"]) == facts["started"]
    )
    if not sound:
        raise receipt.CorruptReceipt("it says what no backup writes")
