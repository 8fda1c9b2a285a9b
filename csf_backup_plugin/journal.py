"""Keeping the manifest: databases found or created are recorded, and never anything else."""

from __future__ import annotations

import datetime
import posixpath
from typing import TYPE_CHECKING

from csf_backup_plugin import manifest
from csf_backup_plugin.errors import BackupError
from csf_backup_plugin.names import absolute, shown
from csf_backup_plugin.survey import survey

if TYPE_CHECKING:
    from collections.abc import Iterable

    from csf_backup_plugin.hosts.protocol import Host
    from csf_backup_plugin.repository import Repository
    from csf_backup_plugin.survey import Survey


def record(found: Survey, host: Host) -> list[str]:
    """Add to the manifest what it does not list, or make it if there is none.

    Returns:
        A warning if the manifest could not be written: a proven backup is worth more than that,
        and the next one finds the databases in the directory anyway.
    """
    repository, unlisted = found.repository, found.coverage.unlisted
    names = [repository.recorded(path) for path in unlisted]
    try:
        if found.recorded is None:
            _make(repository, names, host)
        elif names:
            host.append(repository.manifest, manifest.encode_lines(names))
    except (OSError, BackupError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        return [f"the manifest {shown(repository.manifest)} was not updated: {reason}"]
    return []


def append(repository: Repository, path: str, host: Host) -> None:
    """Record one new database: by one append, whatever the number of databases.

    Args:
        repository: the one it belongs to.
        path: the new database; if it lies in the repository's directory, by whatever way that is
            reached, it is recorded by its name.
        host: where it is.

    Raises:
        ValueError: `path` cannot name a database in a backup.
        OSError: the manifest cannot be written.
    """
    directory, name = posixpath.split(absolute(path))
    at_database, at_repository = host.look([directory, repository.directory])
    recorded = name if at_database.resolved == at_repository.resolved else path
    try:
        host.append(repository.manifest, manifest.encode_lines([recorded]))
    except FileNotFoundError:
        on_disk = map(repository.recorded, survey(repository, host).coverage.paths)
        _make(repository, dict.fromkeys([*on_disk, recorded]), host)


def keep(repository: Repository, data: bytes, host: Host) -> str:
    """Keep a damaged manifest: somebody may still read in it what we cannot.

    Returns:
        The path of the copy.
    """
    now = datetime.datetime.now(datetime.timezone.utc)
    path = f"{repository.manifest}.damaged-{now:%Y%m%dT%H%M%S.%f}"
    host.publish(path, data, like=repository.master)
    return path


def _make(repository: Repository, names: Iterable[str], host: Host) -> None:
    """Make the manifest, for the users who may write the master database."""
    host.publish(repository.manifest, manifest.encode(names), like=repository.master)
