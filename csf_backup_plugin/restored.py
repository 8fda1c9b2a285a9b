"""What osrestore has left on the disk, set against what should be there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from csf_backup_plugin.names import shown

if TYPE_CHECKING:
    from collections.abc import Mapping

    from csf_backup_plugin.hosts.protocol import Facts, Host


def findings(expected: Mapping[str, int | None], host: Host) -> list[str]:
    """Return what is wrong with restored databases, a sentence for each.

    A receipt has the sizes from before osbackup began, and a database may have grown until the
    instant the backup is of: so a larger one is right, and a smaller one is not whole.

    Args:
        expected: the least bytes of each database, by the path where it should be; None where
            nobody knows them.
        host: where they are.
    """
    looked = zip(expected.items(), host.look(expected), strict=True)
    faults = ((path, _fault(least, facts)) for (path, least), facts in looked)
    return [f"{shown(path)} {fault}" for path, fault in faults if fault]


def _fault(least: int | None, facts: Facts) -> str:
    if facts.kind == "missing":
        return "is missing"
    if facts.kind != "file":
        return "is not a file"
    if least is not None and facts.size < least:
        return f"holds {facts.size:,} bytes; it held {least:,} when the backup began"
    return ""
