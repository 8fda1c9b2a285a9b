"""Whether databases that a restore should have brought back are there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from csf_backup_plugin.names import shown

if TYPE_CHECKING:
    from collections.abc import Mapping

    from csf_backup_plugin.hosts.protocol import Facts, Host


def findings(expected: Mapping[str, int | None], host: Host) -> list[str]:
    """Return what is wrong with databases that should be there; nothing if all is well.

    Args:
        expected: the bytes each had when it was backed up, by the path it is to be at; None where
            that is not known. One that is larger had grown before osbackup came to it.
        host: where they are.
    """
    looked = zip(expected.items(), host.look(expected), strict=True)
    problems = ((path, _problem(size, facts)) for (path, size), facts in looked)
    return [f"{shown(path)} {problem}" for path, problem in problems if problem]


def _problem(size: int | None, facts: Facts) -> str:
    if facts.kind == "missing":
        return "is missing"
    if facts.kind != "file":
        return "is not a file"
    if size is not None and facts.size < size:
        return f"has {facts.size:,} bytes, and had {size:,} when it was backed up"
    return ""
