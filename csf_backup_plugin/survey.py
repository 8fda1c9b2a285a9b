"""What a repository consists of at this moment: its directory set against its manifest."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING, NamedTuple

from csf_backup_plugin import manifest
from csf_backup_plugin.errors import RepositoryIncomplete, RepositoryNotFound
from csf_backup_plugin.names import command, has_control_character, shown
from csf_backup_plugin.repository import Coverage, Database, Repository, compare

if TYPE_CHECKING:
    from csf_backup_plugin.hosts.protocol import Entry, Host, Kind
    from csf_backup_plugin.manifest import Manifest


class Survey(NamedTuple):
    """What was found of a repository.

    Attributes:
        repository: the one looked at.
        host: the name of the host it is on.
        coverage: its databases on disk and in the manifest.
        recorded: what the manifest says; None where there is none yet.
        directories: paths with a database's suffix that are directories.
        unreachable: paths with a database's suffix that are neither file nor directory.
    """

    repository: Repository
    host: str
    coverage: Coverage
    recorded: Manifest | None
    directories: tuple[str, ...]
    unreachable: tuple[str, ...]

    def check_complete(self) -> None:
        """Refuse a repository of which a backup would leave something out.

        Raises:
            RepositoryIncomplete: it names every database that is missing or cannot be named.
        """
        unnameable = tuple(filter(has_control_character, self.coverage.paths))
        for paths, problem, next_step in (
            (
                self.coverage.missing,
                "in the manifest and not on disk",
                "Bring them back (is a disk not mounted?). If they were deleted on purpose, drop "
                f"them from the manifest: {rebuild_command(self.repository, self.host)}",
            ),
            (
                self.unreachable,
                "in the directory and not readable as files (links to nothing, or devices)",
                "Mount the disk they are on, or remove them.",
            ),
            (
                unnameable,
                "named with a control character, which osbackup's list of names cannot hold",
                "Rename them.",
            ),
        ):
            if paths:
                names = ", ".join(map(shown, paths))
                raise RepositoryIncomplete(
                    f"The repository of {shown(self.repository.master)} cannot be backed up whole. "
                    f"{len(paths)} of its databases are {problem}: {names}.",
                    next_step,
                )


def check_master(repository: Repository, host: Host) -> None:
    """Refuse a path that names no master database.

    A link is refused too: the other databases stand beside what it leads to, not beside the link.

    Raises:
        RepositoryNotFound: the message says why.
    """
    at_directory, at_master = host.look([repository.directory, repository.master])
    if at_master.kind != "file":
        problem = "there is no such file"
    elif at_master.resolved != posixpath.join(at_directory.resolved, repository.name):
        problem = f"it is a link to {shown(at_master.resolved)}"
    else:
        return
    raise RepositoryNotFound(
        f"{shown(repository.master)} on {host.name} is not a master database: {problem}.",
        "Check -database: it is the master database's absolute path on the image's host.",
    )


def survey(repository: Repository, host: Host) -> Survey:
    """Set a repository's directory against its manifest.

    Raises:
        RepositoryIncomplete: the manifest is damaged, so that nobody knows what it listed.
    """
    return set_against(repository, host, read_manifest(repository, host))


def set_against(repository: Repository, host: Host, recorded: Manifest | None) -> Survey:
    """Set a repository's directory against what its manifest is known to say."""
    entries = [e for e in host.list_directory(repository.directory) if repository.owns(e.name)]
    listed = [repository.path_of(name) for name in (recorded.names if recorded else ())]
    files = [entry for entry in entries if entry.kind == "file"]
    databases = [Database(repository.path_of(entry.name), entry.size) for entry in files]
    databases += _elsewhere(repository, host, listed)
    return Survey(
        repository,
        host.name,
        compare(repository.master, databases, listed),
        recorded,
        _paths_of(repository, entries, "directory"),
        _paths_of(repository, entries, "other"),
    )


def read_manifest(repository: Repository, host: Host) -> Manifest | None:
    """Return the repository's manifest, or None where there is none yet.

    Raises:
        RepositoryIncomplete: it is damaged, so that nobody knows what it listed.
    """
    data = host.read(repository.manifest)
    try:
        return None if data is None else manifest.decode(data)
    except manifest.CorruptManifest as error:
        raise RepositoryIncomplete(
            f"The manifest {shown(repository.manifest)} on {host.name} is damaged at line "
            f"{error.line}, so it cannot tell whether a database is missing.",
            "Make a new one of its whole lines and of what is in the directory (a database outside "
            "of it that only a damaged line named must be known to you): "
            + rebuild_command(repository, host.name),
        ) from None


def rebuild_command(repository: Repository, host: str) -> str:
    """Return the command to type for a new manifest."""
    words = ("-database", repository.master, "-host", host, "-rebuild")
    return command("csf", "admin_database_manifest", *words)


def _paths_of(repository: Repository, entries: list[Entry], kind: Kind) -> tuple[str, ...]:
    return tuple(sorted(repository.path_of(e.name) for e in entries if e.kind == kind))


def _elsewhere(repository: Repository, host: Host, listed: list[str]) -> list[Database]:
    """Return the databases the manifest lists outside the directory, as far as they are there."""
    paths = [path for path in listed if repository.recorded(path) == path]
    facts = zip(paths, host.look(paths), strict=True)
    return [Database(path, fact.size) for path, fact in facts if fact.kind == "file"]
