"""Making a repository's manifest anew: of what is on disk, and nothing that is not."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from csf_backup_plugin import journal, manifest
from csf_backup_plugin.errors import translated
from csf_backup_plugin.survey import check_master, set_against

if TYPE_CHECKING:
    from csf_backup_plugin.hosts.protocol import Host
    from csf_backup_plugin.repository import Repository
    from csf_backup_plugin.survey import Survey
    from csf_backup_plugin.watcher import Watcher

PURPOSE = "admin_database_manifest"


class Rebuilt(NamedTuple):
    """A manifest that was made anew.

    Attributes:
        found: what is on disk, set against the manifest before.
        damaged: the numbers of the old manifest's lines that could not be read, from 1.
        kept: where the old manifest is kept if it was damaged.
    """

    found: Survey
    damaged: tuple[int, ...]
    kept: str | None


def rebuild(repository: Repository, wait: float, host: Host, watcher: Watcher) -> Rebuilt:
    """Write a manifest of the databases in the directory, and of those it listed elsewhere.

    Args:
        repository: whose manifest.
        wait: how long to wait for the repository's lock, in seconds.
        host: where it is.
        watcher: told of a wait.

    Raises:
        BackupError: the manifest is as it was.
    """
    with translated(host.name):
        check_master(repository, host)
        with host.lock(repository.lock, PURPOSE, wait, watcher.note):
            data = host.read(repository.manifest)
            recorded = None if data is None else manifest.salvage(data)
            found = set_against(repository, host, recorded)
            damaged = recorded.damaged if recorded else ()
            kept = journal.keep(repository, data or b"", host) if damaged else None
            names = map(repository.recorded, found.coverage.paths)
            host.replace(repository.manifest, manifest.encode(names), like=repository.master)
    return Rebuilt(found, damaged, kept)
