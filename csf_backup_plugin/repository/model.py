"""A master repository: where its files are, and which databases belong to it."""

from __future__ import annotations

import functools
import os
import posixpath
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable


MANIFEST = ".manifest"
SECTOR = 512  # bytes; the unit that osbackup counts


class Database(NamedTuple):
    """One database of a repository.

    Attributes:
        path: absolute, on the image's host.
        size: in bytes.
    """

    path: str
    size: int


@dataclass(frozen=True)
class Repository:
    """The group of databases that a master database names.

    Attributes:
        master: the master database's absolute path on the image's host.
    """

    master: str

    @functools.cached_property  # it is needed once for each database
    def directory(self) -> str:
        """The directory that holds the master database and every class's database."""
        return posixpath.dirname(self.master)

    @property
    def name(self) -> str:
        """The master database's file name."""
        return posixpath.basename(self.master)

    @property
    def manifest(self) -> str:
        """The plugin's own record of the repository's databases."""
        return self.master + MANIFEST

    @property
    def lock(self) -> str:
        """The file whose flock(2) prevents class_create and backups from running together."""
        return self.master + ".lock"

    @property
    def unfinished_restore(self) -> str:
        """The mark of a restore that has begun and not succeeded, with the command to repeat it."""
        return self.master + ".unfinished-restore"

    @property
    def quiesced(self) -> str:
        """The record of an owed `end` call of the program that made the repository quiet."""
        return self.master + ".quiesced"

    @property
    def restore_run(self) -> str:
        """The record of osrestore's run, a directory, which is also its working directory."""
        return self.master + ".restore.run"

    def owns(self, file_name: str) -> bool:
        """Tell whether a file in the directory is one of the databases, by the master's suffix."""
        if posixpath.splitext(file_name)[1] != posixpath.splitext(self.master)[1]:
            return False
        return self.path_of(file_name) not in (self.manifest, self.lock, self.quiesced)

    def path_of(self, recorded: str) -> str:
        """Return the absolute path of a name as the manifest records it."""
        return posixpath.join(self.directory, recorded)

    def recorded(self, path: str) -> str:
        """Return how the manifest records `path`: by name alone if it is in the directory."""
        directory, name = posixpath.split(path)
        return name if directory == self.directory else path


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
