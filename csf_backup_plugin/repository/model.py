"""A master repository: where its files are."""

from __future__ import annotations

import posixpath

MANIFEST = ".manifest"


class Repository:
    """The group of databases that a master database names; it is not changed.

    No dataclass, since class_create would wait until the standard library's module is loaded.

    Attributes:
        master: the master database's absolute path on the image's host.
        directory: the directory that holds the master database and every class's database.
    """

    def __init__(self, master: str) -> None:
        self.master = master
        self.directory = posixpath.dirname(master)  # it is needed once for each database

    def __eq__(self, other: object) -> bool:
        """Tell whether this is the same repository."""
        return isinstance(other, Repository) and self.master == other.master

    def __hash__(self) -> int:
        """Return the same for the same repository."""
        return hash(self.master)

    def __repr__(self) -> str:
        """Return it as Python would make it."""
        return f"Repository({self.master!r})"

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
