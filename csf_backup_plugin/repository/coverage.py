"""The databases of a repository, on disk compared with its manifest."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

SECTOR = 512  # bytes; the unit that osbackup counts


class Database(NamedTuple):
    """One database of a repository.

    Attributes:
        path: absolute, on the image's host.
        size: in bytes.
    """

    path: str
    size: int


class Coverage(NamedTuple):
    """The repository's databases, on disk compared with the manifest.

    Attributes:
        databases: all databases on disk: the master database first, then the others, sorted by the
            bytes of their paths, so that the order is the same in every locale.
        unlisted: paths on disk and not in the manifest.
        missing: paths in the manifest and not on disk.
    """

    databases: tuple[Database, ...]
    unlisted: tuple[str, ...]
    missing: tuple[str, ...]

    @property
    def paths(self) -> list[str]:
        """The databases' paths, in their order."""
        return [database.path for database in self.databases]

    @property
    def bytes(self) -> int:
        """The sum of the databases' sizes, in bytes."""
        return sum(database.size for database in self.databases)

    @property
    def sectors(self) -> int:
        """The sectors that osbackup counts: those of whole files, including holes."""
        return sum(-(-database.size // SECTOR) for database in self.databases)


def compare(master: str, on_disk: Iterable[Database], listed: Iterable[str]) -> Coverage:
    """Compare what is on disk with what the manifest lists.

    Args:
        master: the master database's path.
        on_disk: every database found, in any order.
        listed: the paths in the manifest.
    """
    sizes = dict(on_disk)
    listed = set(listed)
    ordered = sorted(sizes, key=lambda path: (path != master, os.fsencode(path)))
    return Coverage(
        databases=tuple(Database(path, sizes[path]) for path in ordered),
        unlisted=tuple(path for path in ordered if path not in listed),
        missing=tuple(sorted(listed - sizes.keys())),
    )
