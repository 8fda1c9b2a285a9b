"""The directories of an image's databases: what osrestore is told to restore them elsewhere.

They keep their places relative to each other, and few pairs say so to osrestore, however many
databases there are: one for each directory that holds some, but for those inside of another, which
osrestore takes along. No database matches two pairs.
"""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING

from csf_backup_plugin.names import is_inside

if TYPE_CHECKING:
    from collections.abc import Iterable


def directories(databases: Iterable[str]) -> list[str]:
    """Return every directory that holds some of the databases."""
    return sorted({posixpath.dirname(path) for path in databases}, key=_parts)


def outermost(databases: Iterable[str]) -> list[str]:
    """Return the directories that hold databases and lie in no other that does."""
    found: list[str] = []
    for directory in directories(databases):  # those inside of another come right behind it
        if not found or not is_inside(directory, found[-1]):
            found.append(directory)
    return found


def _parts(path: str) -> list[str]:
    return path.rstrip("/").split("/")
