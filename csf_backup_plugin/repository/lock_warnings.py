"""Warnings about a lock that has no effect, since its file system has no locks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from csf_backup_plugin.names import shown

if TYPE_CHECKING:
    from csf_backup_plugin.hosts.protocol.locking import Lock
    from csf_backup_plugin.repository.model import Repository


def unlocked_warnings(lock: Lock | None, repository: Repository) -> list[str]:
    """Return a warning if a lock has no effect.

    Args:
        lock: the lock that is held; None if no lock file could be made, which has a warning of its
            own.
        repository: the repository of the lock.
    """
    if lock is None or not lock.unsupported:
        return []
    return [
        f"{shown(repository.lock)} cannot be locked ({lock.unsupported}): its file system has no "
        "locks, so nothing prevents a class_create, a backup or a restore from running at the same "
        "time. On NFS, let lockd run, or mount it with local_lock=flock if only this "
        "host uses it"
    ]


def unguarded_warnings(lock: Lock | None, utility: str) -> list[str]:
    """Return a warning if there is no flock(1).

    Args:
        lock: the lock that is held, if any.
        utility: the utility that runs under it.
    """
    if lock is None or lock.is_freed:
        return []
    return [
        f"there is no flock(1), so {utility} does not hold the repository's lock itself: if csf "
        f"and the shell that watches {utility} are both killed, nothing stops other commands while "
        "it still runs. It is part of util-linux"
    ]
