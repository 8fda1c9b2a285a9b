"""Lock the repository for a backup; if no lock file can be created, only warn."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING, TypeVar

from csf_backup_plugin.command_names import BACKUP
from csf_backup_plugin.names import shown
from csf_backup_plugin.objectstore.commands import OSBACKUP
from csf_backup_plugin.operations.backup.dry_run import DENIED
from csf_backup_plugin.repository.lock_warnings import unguarded_warnings, unlocked_warnings
from csf_backup_plugin.system_errors import reason

if TYPE_CHECKING:
    import contextlib
    from collections.abc import Callable

    from csf_backup_plugin.hosts.protocol.host import Host
    from csf_backup_plugin.hosts.protocol.locking import Lock
    from csf_backup_plugin.progress_listener import Listener
    from csf_backup_plugin.repository.model import Repository

T = TypeVar("T")

_NOT_ALLOWED = (errno.EACCES, errno.EPERM, errno.EROFS)


def locked(
    repository: Repository,
    wait: float,
    stack: contextlib.ExitStack,
    host: Host,
    listener: Listener,
    look: Callable[[], T],
    *,
    purpose: str = BACKUP,
    create: bool = True,
    beside: str = "",
) -> tuple[Lock | None, T, list[str]]:
    """Lock the repository until the stack is closed, and look; warn if it cannot be locked.

    Args:
        repository: the repository.
        wait: how long to wait for another holder, in seconds.
        stack: releases the lock when it is closed, at the end of the backup.
        host: where the repository is.
        listener: gets a note if the command has to wait.
        look: what to look at under the lock, as for `Host.lock_and_look`.
        purpose: the command that wants the lock.
        create: whether the lock file may be created.
        beside: as for `Host.lock_and_look`.

    Returns:
        The lock, or None if there is none; what `look` returned; and warnings.
    """
    path = repository.lock
    try:
        arguments = (path, purpose, wait, listener.note, look)
        held = host.lock_and_look(*arguments, create=create, beside=beside)
        lock, found = stack.enter_context(held)
    except OSError as error:
        if error.errno not in _NOT_ALLOWED or host.stat([path])[0].kind != "missing":
            raise
        return None, look(), [_not_kept_out(path, error)]
    if lock is None and not host.look([repository.directory])[0].writable:
        return None, found, [_not_kept_out(path, DENIED)]
    warnings = unlocked_warnings(lock, repository)
    return lock, found, warnings + unguarded_warnings(lock, OSBACKUP)


def _not_kept_out(path: str, error: OSError) -> str:
    return (
        f"the lock file {shown(path)} cannot be made ({reason(error)}): a class_create of another "
        "user during this backup cannot be prevented"
    )
