"""The format of the receipt file: its keys, and the checks of their values."""

from __future__ import annotations

import datetime
import os
import re
from typing import TYPE_CHECKING, Any

from csf_backup_plugin import __version__, timestamps
from csf_backup_plugin.image import sealed_json
from csf_backup_plugin.image.path import ImagePath
from csf_backup_plugin.image.place import PLACES
from csf_backup_plugin.image.receipt import Copied, Origin, Placement, Receipt
from csf_backup_plugin.names import absolute

if TYPE_CHECKING:
    from collections.abc import Mapping

_LONGEST = 4096  # bytes; Linux's limit for a path
# Paths that `absolute` certainly accepts. A shortcut: with many databases, `absolute` would take
# most of the time.
_PLAIN = re.compile(r"(?:/[ -.0-~]{1,255})*/[ -.0-~]{3,255}")
_LARGEST = 1 << 63  # bytes; Linux's limit for a file


def encode(
    receipt: Receipt, *, finished: str, osbackup: str | None, shared_disk: str, proven_by: str
) -> bytes:
    """Return the bytes of a receipt file.

    Args:
        receipt: the receipt.
        finished: when the proof was complete by the host's clock, in ISO 8601.
        osbackup: the program that made the image, if known.
        shared_disk: whether image and databases were on one physical disk.
        proven_by: the command that proved it.
    """
    origin = receipt.origin
    return sealed_json.encode(
        {
            "producer": f"csf-backup-plugin {__version__}",
            "host": receipt.image.host,
            "machine_id": origin.machine_id,
            "machine": origin.machine,
            "image": receipt.image.path,
            "image_bytes": receipt.size,
            "image_sha256": receipt.sha256,
            "import_file_sha256": receipt.import_file_sha256,
            "repository_id": origin.id,
            "number": origin.number,
            "settled": origin.settled,
            "master": receipt.master,
            "databases": dict(receipt.databases),
            "databases_after": {path: receipt.after.get(path) for path in receipt.databases},
            "changed": None if receipt.changed is None else list(receipt.changed),
            "mounts": dict(origin.mounts),
            "osbackup": osbackup,
            "shared_disk": shared_disk,
            "proven_by": proven_by,
            **placement_facts(receipt.placement),
            **_copied_facts(receipt.copied),
            "suspicions": list(receipt.suspicions),
            "accepted": receipt.accepted,
            "started": receipt.started,
            "finished": finished,
        }
    )


def decode(data: bytes) -> Receipt:
    """Return the receipt in the bytes of a receipt file.

    Raises:
        UnusableDocument: it was changed after it was written, or is of another version.
    """
    facts = sealed_json.decode(data)
    try:
        _check_kinds(facts)
        return Receipt(
            facts["master"],
            facts["databases"],
            facts["image_bytes"],
            facts["image_sha256"],
            facts["import_file_sha256"],
            facts["started"],
            ImagePath(facts["host"], facts["image"]),
            Origin(
                facts["repository_id"],
                facts["number"],
                facts["machine_id"],
                facts["machine"],
                facts["settled"],
                facts["mounts"],
            ),
            facts["databases_after"],
            None if facts["changed"] is None else tuple(facts["changed"]),
            placement_of(facts),
            tuple(facts.get("suspicions", ())),  # older receipts lack these
            facts.get("accepted", False),
            _copied_of(facts),
        )
    except KeyError as error:
        raise sealed_json.CorruptDocument(f"it lacks {error}") from None


def encode_copy(data: bytes, made: Receipt) -> bytes:
    """Return the bytes of a copy's receipt: what the original's says, and where that was.

    Args:
        data: the original's receipt.
        made: the values in which the copy's differs: its image and SHA-256, no place, and `copied`.
    """
    facts = {
        **sealed_json.decode(data),
        "host": made.image.host,
        "image": made.image.path,
        "image_sha256": made.sha256,
        **placement_facts(None),
        **_copied_facts(made.copied),
    }
    return sealed_json.encode(facts)


def _copied_facts(copied: Copied | None) -> dict[str, Any]:
    if copied is None:
        return {}
    host, image = copied.image.host, copied.image.path
    source = {"host": host, "image": image, "at": copied.at}
    return {"copied_from": source, "run_id": copied.run_id}


def _copied_of(facts: Mapping[str, Any]) -> Copied | None:
    """Return where a copy was made from; None if the receipt is of no copy.

    Raises:
        CorruptDocument: its value is not one that a copy has.
    """
    source, run_id = facts.get("copied_from"), facts.get("run_id")
    if source is None:
        return None
    keys = ("host", "image", "at")
    if isinstance(source, dict) and all(_is_text(source.get(key)) for key in keys):
        host, image, at = (source[key] for key in keys)
        if _is_path(image) and timestamps.read(at) == at and (run_id is None or _is_text(run_id)):
            return Copied(ImagePath(host, image), at, run_id)
    raise sealed_json.CorruptDocument("it does not say where the copy was made from")


def placement_facts(placement: Placement | None) -> dict[str, str | None]:
    """Return a placement as the keys and values of a document."""
    if placement is None:
        return {"place": None, "slot": None, "run_id": None}
    slot = placement.slot.isoformat()
    return {"place": placement.place, "slot": slot, "run_id": placement.run_id}


def placement_of(facts: Mapping[str, Any]) -> Placement | None:
    """Return the placement in a document; None if it has none.

    Raises:
        CorruptDocument: its value is not a possible placement.
    """
    place, slot, run_id = (facts.get(key) for key in ("place", "slot", "run_id"))
    if place is None:
        return None
    try:
        if place in PLACES and isinstance(run_id, str):
            return Placement(place, datetime.date.fromisoformat(str(slot)), run_id)
    except (TypeError, ValueError):
        pass
    raise sealed_json.CorruptDocument("it names a place that no rotation has")


def _check_kinds(facts: dict[str, Any]) -> None:
    """Refuse values of types that no backup writes, so that readers can rely on the types."""
    databases, mounts, number = facts["databases"], facts["mounts"], facts["number"]
    texts = ("master", "host", "image", "import_file_sha256", "machine_id", "machine", "started")
    sound = (
        all(_is_text(facts[text]) for text in texts)
        and isinstance(databases, dict)
        and _are_sizes(databases, facts["databases_after"])
        and _are_some(facts["changed"], databases)
        and (not databases or facts["master"] in databases)
        and _is_count(facts["image_bytes"])
        and all(map(_is_path, (facts["master"], facts["image"], *databases)))
        and (facts["image_sha256"] is None or _is_text(facts["image_sha256"]))
        and timestamps.read(facts["started"]) == facts["started"]
        and (facts["repository_id"] is None or _is_text(facts["repository_id"]))
        and (number is None or (_is_count(number) and facts["repository_id"] is not None))
        and isinstance(facts["settled"], bool)
        and isinstance(mounts, dict)
        and all(map(_is_text, (*mounts, *mounts.values())))
        and isinstance(facts.get("suspicions", []), list)
        and isinstance(facts.get("accepted", False), bool)
    )
    if not sound:
        raise sealed_json.CorruptDocument("it holds a value that no backup writes")


def _are_sizes(before: dict[str, Any], after: object) -> bool:
    """Tell whether `databases` and `after` have sizes, or null, for the same databases."""
    if not (isinstance(after, dict) and after.keys() == before.keys()):
        return False
    return all(size is None or _is_count(size) for size in (*before.values(), *after.values()))


def _are_some(changed: object, databases: dict[str, Any]) -> bool:
    """Tell whether `changed` is null, or a list of some of the databases."""
    if not isinstance(changed, list):
        return changed is None
    return all(isinstance(path, str) and path in databases for path in changed)


def _is_count(value: object) -> bool:
    return type(value) is int and 0 <= value <= _LARGEST


def _is_text(value: object) -> bool:
    return isinstance(value, str) and len(value) <= _LONGEST


def _is_path(value: str) -> bool:
    if len(value) <= _LONGEST and _PLAIN.fullmatch(value):
        return True
    try:
        return len(os.fsencode(absolute(value))) <= _LONGEST
    except ValueError:
        return False
