"""Check the sizes of restored databases."""

from __future__ import annotations

from typing import TYPE_CHECKING

from csf_backup_plugin.names import shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from csf_backup_plugin.hosts.protocol.values import Stat
    from csf_backup_plugin.image.receipt import Size


def findings(expected: Mapping[str, Size | None], looked: Iterable[Stat]) -> list[str]:
    """Return what is wrong with restored databases, a sentence for each.

    The size of each database was taken before and after the backup. In between, the database may
    have grown, or have been compacted. So it counts as complete if it is at least as large as the
    smaller of the two sizes. If it was compacted and had grown again before the second size was
    taken, it is reported as a fault: it looks like one that was cut short.

    Args:
        expected: the sizes of each database, by the path where it should be; None if they are not
            known.
        looked: what was found at each of those paths, in the same order.
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
