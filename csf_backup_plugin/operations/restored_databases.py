"""What osrestore has left on the disk, set against what should be there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from csf_backup_plugin.names import shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from csf_backup_plugin.hosts.protocol import Stat
    from csf_backup_plugin.image.receipt import Size


def findings(expected: Mapping[str, Size | None], looked: Iterable[Stat]) -> list[str]:
    """Return what is wrong with restored databases, a sentence for each.

    Until the instant the backup is of, a database may have grown, or have been compacted, and it
    may have been compacted since: so one is whole if it is no smaller than at the look at which it
    was smaller. One that was compacted and had grown again by the second look is taken for a fault:
    nothing tells it apart from one that was cut short.

    Args:
        expected: the sizes of each database, by the path where it should be; None where nobody
            knows them.
        looked: what stands at each of those paths, in their order.
    """
    pairs = zip(expected.items(), looked, strict=True)
    faults = ((path, _fault(size, at)) for (path, size), at in pairs)
    return [f"{shown(path)} {fault}" for path, fault in faults if fault]


def _fault(size: Size | None, at: Stat) -> str:
    if at.kind == "missing":
        return "is missing"
    if at.kind != "file":
        return "is not a file"
    if size is not None and at.size < size.least:
        return (
            f"holds {at.size:,} bytes; it held {size.before:,} when the backup began, and "
            f"{size.after:,} when osbackup had ended"
        )
    return ""
