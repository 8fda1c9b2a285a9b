"""What happens around csf's class_create, so that the manifest is always current."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING

from csf_backup_plugin import journal
from csf_backup_plugin.errors import from_os_error
from csf_backup_plugin.names import shown
from csf_backup_plugin.repository import Repository

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from csf_backup_plugin.hosts.protocol import Host


def recorded_creation(
    master: str, wait: float, host: Host, warn: Callable[[str], None]
) -> Generator[None, str | None, str | None]:
    """Hold the repository's lock around a class's creation, and record the new database.

    A generator, as pluggy's wrappers are: it yields once, where the class is created.

    Args:
        master: the master database's path.
        wait: how long to wait for a backup to release the lock, in seconds.
        host: this machine.
        warn: told, in a sentence, of a database that could not be recorded.

    Returns:
        What class_create returned: the new database's path, or None if nothing created it.

    Raises:
        LockBusy: before anything is created.
        BackupError: likewise, if the lock cannot be had at all.
        Exception: whatever class_create itself raises; nothing is recorded then.
    """
    repository = Repository(os.path.abspath(master))
    with contextlib.ExitStack() as stack:
        try:
            stack.enter_context(host.lock(repository.lock, "class_create", wait, warn))
        except FileNotFoundError:
            pass  # without a directory there is nothing a backup could be reading
        except OSError as error:
            raise from_os_error(error, host.name) from None
        path = yield
        if path is not None:
            _record(repository, path, host, warn)
        return path


def _record(repository: Repository, path: str, host: Host, warn: Callable[[str], None]) -> None:
    """Record a database; the class exists, so nothing here may make its creation fail."""
    try:
        journal.append(repository, path, host)
    except (OSError, ValueError) as error:
        reason = f"{error.strerror}" if isinstance(error, OSError) else f"the path {error}"
        warn(
            f"{shown(path)} was created, but is not in the manifest {shown(repository.manifest)}: "
            f"{reason}. The next backup will find it in the directory all the same."
        )
