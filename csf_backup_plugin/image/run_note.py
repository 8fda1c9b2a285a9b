"""The note in a run record: which backup of which repository osbackup makes.

It is written before osbackup starts. So if csf is killed, the next rotation knows which repository
the image without a receipt belongs to, and a proof gives it the place that it was made for.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, NamedTuple

from csf_backup_plugin.image import sealed_json
from csf_backup_plugin.image.receipt_format import placement_facts, placement_of

if TYPE_CHECKING:
    from csf_backup_plugin.hosts.protocol.host import Host
    from csf_backup_plugin.image.path import ImagePath
    from csf_backup_plugin.image.receipt import Origin, Placement

#: The note's name in the record; see `hosts.guardian`.
_NAME = "note"


class Note(NamedTuple):
    """What a note says.

    Attributes:
        id: the repository's id; None if it had none that could be kept.
        number: the backup's number; None if it had none that could be kept.
        machine_id: the machine-id(5) of the host; empty if it had none.
        machine: what the host called itself.
        placement: where a rotation has put the image; None for one that no rotation makes.
    """

    id: str | None = None
    number: int | None = None
    machine_id: str = ""
    machine: str = ""
    placement: Placement | None = None


def path(image: ImagePath) -> str:
    """Return the path of the note in an image's run record."""
    return f"{image.run}/{_NAME}"


def encode(origin: Origin, placement: Placement | None) -> bytes:
    """Return the bytes of a note.

    Args:
        origin: which backup it is.
        placement: see `Note`.
    """
    facts = {
        "repository_id": origin.id,
        "number": origin.number,
        "machine_id": origin.machine_id,
        "machine": origin.machine,
        **placement_facts(placement),
    }
    return sealed_json.encode(facts, sealed_json.NOTE)


def decode(data: bytes | OSError | None) -> Note:
    """Return the note in some bytes; an empty one if there are none, or they cannot be used."""
    with contextlib.suppress(sealed_json.UnusableDocument):
        if isinstance(data, bytes):
            facts = sealed_json.decode(data, sealed_json.NOTE)
            keys = ("repository_id", "number", "machine_id", "machine")
            repository, number, machine_id, machine = map(facts.get, keys)
            return Note(repository, number, machine_id or "", machine or "", placement_of(facts))
    return Note()


def read(image: ImagePath, host: Host) -> Note:
    """Return the note in an image's run record."""
    return decode(host.read_each([path(image)])[0])
