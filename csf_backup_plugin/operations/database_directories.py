"""The directories of an image's databases, which osrestore needs to restore them elsewhere.

The databases keep their places relative to each other. osrestore gets a pair of pathnames for each
directory with databases, and not for each database. A directory inside another one has no pair of
its own, since osrestore restores it with the outer one. No database matches two pairs.
"""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING

from csf_backup_plugin.names import is_inside

if TYPE_CHECKING:
    from collections.abc import Iterable


def directories(databases: Iterable[str]) -> list[str]:
    """Return every directory that holds any of the databases."""
    return sorted({posixpath.dirname(path) for path in databases}, key=_parts)


def outermost(databases: Iterable[str]) -> list[str]:
    """Return the directories with databases that are not inside another such directory."""
    found: list[str] = []
    for directory in directories(databases):  # those inside another directory follow it directly
        if not found or not is_inside(directory, found[-1]):
            found.append(directory)
    return found


def _parts(path: str) -> list[str]:
    return path.rstrip("/").split("/")
