"""What happens around csf's class_create, so that the manifest is always current."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING

from csf_backup_plugin import journal
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
        Exception: whatever class_create itself raises; nothing is recorded then.
    """
    repository = Repository(os.path.abspath(master))
    with contextlib.ExitStack() as stack:
        try:
            stack.enter_context(host.lock(repository.lock, "class_create", wait, warn))
        except FileNotFoundError:
            pass  # without a directory there is nothing a backup could be reading
        except OSError as error:
            warn(
                f"{shown(repository.lock)} cannot be locked ({error.strerror}): a backup that runs "
                "now will find that the databases have changed, and fail"
            )
        path = yield
        if path is not None:
            _record(repository, path, host, warn)
        return path


def _record(repository: Repository, path: str, host: Host, warn: Callable[[str], None]) -> None:
    """Record a database; the class exists, so nothing here may make its creation fail."""
    try:
        journal.append(repository, os.fsdecode(path), host)
    except Exception as error:  # the class exists, whatever this is
        problem = f"its path {error}" if isinstance(error, ValueError) else error
        reason = error.strerror if isinstance(error, OSError) else problem
        warn(
            f"{shown(str(path))} was created, but is not in the manifest "
            f"{shown(repository.manifest)}: {reason}. The next backup will find it in the "
            "directory all the same."
        )
