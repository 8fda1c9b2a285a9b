"""The record of a copy that is being made: PATH.copying, where PATH is the path of its image.

It claims the image's name, is locked while the copy is made, and is removed once the receipt
exists. It distinguishes what a killed copy has left from what a killed backup has left.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, NamedTuple

from csf_backup_plugin.advised_commands import copy_command
from csf_backup_plugin.image import sealed_json
from csf_backup_plugin.names import shown

if TYPE_CHECKING:
    from csf_backup_plugin.hosts.protocol.host import Host
    from csf_backup_plugin.image.path import ImagePath
    from csf_backup_plugin.image.receipt import Receipt

_BACKUP = ("repository_id", "number", "started", "image_bytes", "import_file_sha256")
_TEXTS = ("source", "by", "since")


class CopyRecord(NamedTuple):
    """What a record says.

    Attributes:
        source: the image that is copied, HOST:PATH.
        by: the process that copies it, in words.
        since: when that began by the clock of the copy's host, in ISO 8601.
        backup: what identifies the backup that the image is of.
    """

    source: str
    by: str
    since: str
    backup: tuple[object, ...]

    @property
    def repository_id(self) -> object:
        """The id of the repository whose backup that is; None if it has none."""
        return self.backup[0]

    def __str__(self) -> str:
        """Return in words what is copied, and by whom."""
        return f"a copy of {shown(self.source)} (by {shown(self.by)}, since {self.since})"


def record_of(source: ImagePath, receipt: Receipt, by: str, since: str) -> CopyRecord:
    """Return the record of a copy.

    Args:
        source: the image that is copied.
        receipt: its receipt.
        by: the process that copies it, in words.
        since: when it begins, in ISO 8601.
    """
    return CopyRecord(source.name, by, since, backup_of(receipt))


def backup_of(receipt: Receipt) -> tuple[object, ...]:
    """Return what identifies the backup that a receipt is of; see `CopyRecord`."""
    origin = receipt.origin
    return origin.id, origin.number, receipt.started, receipt.size, receipt.import_file_sha256


def encode(record: CopyRecord) -> bytes:
    """Return the record's bytes."""
    facts: dict[str, object] = {"source": record.source, "by": record.by, "since": record.since}
    facts |= dict(zip(_BACKUP, record.backup, strict=True))
    return sealed_json.encode(facts, sealed_json.COPY)


def decode(data: bytes | OSError | None) -> CopyRecord | None:
    """Return the record in some bytes; None if there are none, or they cannot be used."""
    with contextlib.suppress(sealed_json.UnusableDocument):
        if isinstance(data, bytes):
            facts = sealed_json.decode(data, sealed_json.COPY)
            source, by, since = (str(facts.get(key)) for key in _TEXTS)
            return CopyRecord(source, by, since, tuple(map(facts.get, _BACKUP)))
    return None


def read(image: ImagePath, host: Host) -> CopyRecord | None:
    """Return the record beside an image; see `decode`."""
    return decode(host.read_each([image.copying])[0])


def unfinished(image: ImagePath, record: CopyRecord | None) -> tuple[str, str]:
    """Return what is wrong with an unfinished copy, in words that follow its name, and what to do.

    Args:
        image: the copy.
        record: its record; None if it cannot be used.
    """
    if record is None:
        what = f"is a copy that is being made, or was killed, as {shown(image.copying)} says"
        return what, "If no csf is making it, remove its files, and make the copy again."
    typed = copy_command(record.source, f"{image.host}:{image.directory}")
    return (
        f"is {record} that is being made, or was killed",
        f"Wait until it has ended. If it was killed, make the same copy again: {typed}",
    )
