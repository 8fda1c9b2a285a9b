"""The resolved path of a repository: links and ``..`` are resolved once, and shown."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING

from csf_backup_plugin.errors import RepositoryNotFound
from csf_backup_plugin.names import command, shown
from csf_backup_plugin.repository.model import Repository

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from csf_backup_plugin.hosts.protocol.host import Host
    from csf_backup_plugin.hosts.protocol.values import Facts

    Note = Callable[[str], object]


def look_at_repository(repository: Repository, host: Host) -> list[Facts]:
    """Return the facts on a repository's directory, and on its master database."""
    return host.look([repository.directory, repository.master])


def locate(repository: Repository, looked: Sequence[Facts], host: Host, note: Note) -> Repository:
    """Return the repository with its directory's path resolved.

    Args:
        repository: as the user named it.
        looked: as `look_at_repository` returns it.
        host: where it is.
        note: called with a sentence if the resolved path differs from the named one.

    Raises:
        RepositoryNotFound: the path names no master database. A link is not one, since the other
            databases are beside its target.
    """
    at_directory, at_master = looked
    if at_master.kind != "file":
        problem = "it is not a file" if at_master.kind != "missing" else "there is no such file"
    elif at_master.resolved != posixpath.join(at_directory.resolved, repository.name):
        problem = f"it is a link to {shown(at_master.resolved)}"
    else:
        return _repository(repository, at_directory, note)
    raise RepositoryNotFound(
        f"{shown(repository.master)} on {host.name} is not a master database: {problem}.",
        "Check -database: it is the master database's absolute path on the image's host.",
    )


def locate_place(
    repository: Repository, looked: Sequence[Facts], host: Host, note: Note
) -> Repository:
    """Return where to restore a repository, with its directory's path resolved.

    The directory may be empty, as on a new disk. It is never created here, since a missing
    directory may be on a disk that is not mounted.

    Args:
        repository: as the user named it.
        looked: as `look_at_repository` returns it.
        host: where it is.
        note: called with a sentence if the resolved path differs from the named one.

    Raises:
        RepositoryNotFound: the directory does not exist, or the master database is a link.
    """
    at_directory, at_master = looked
    if at_directory.kind != "directory":
        raise no_directory(repository.directory, host)
    beside = posixpath.join(at_directory.resolved, repository.name)
    if at_master.kind != "missing" and at_master.resolved != beside:
        raise RepositoryNotFound(
            f"{shown(repository.master)} on {host.name} is a link to {shown(at_master.resolved)}.",
            "Give -database as its path in the directory of the other databases.",
        )
    return _repository(repository, at_directory, note)


def locate_lost(repository: Repository, at: Facts) -> Repository:
    """Return a repository with its directory's path resolved; it need not exist.

    Args:
        repository: as the user named it.
        at: the facts on its directory.
    """
    if at.kind != "directory":
        return repository
    return Repository(posixpath.join(at.resolved, repository.name))


def resolved_paths(paths: Sequence[str], host: Host) -> list[str]:
    """Return paths with their directories resolved, if these exist."""
    looked = zip(paths, host.look(map(posixpath.dirname, paths)), strict=True)
    return [
        posixpath.join(at.resolved, posixpath.basename(path)) if at.kind == "directory" else path
        for path, at in looked
    ]


def no_directory(directory: str, host: Host) -> RepositoryNotFound:
    """Return the error for a restore to a directory that does not exist."""
    return RepositoryNotFound(
        f"There is no directory {shown(directory)} on {host.name} to restore databases to.",
        "Mount the disk it is on. If it is lost, make an empty one there: "
        f"{command('mkdir', '-p', directory)}",
    )


def _repository(named: Repository, at_directory: Facts, note: Note) -> Repository:
    found = Repository(posixpath.join(at_directory.resolved, named.name))
    if found != named:
        note(f"{shown(named.master)} is {shown(found.master)}")
    return found
