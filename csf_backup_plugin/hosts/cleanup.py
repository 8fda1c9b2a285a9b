"""Cleanup after a successful run: a file that cannot be removed is only a warning."""

from __future__ import annotations

from typing import TYPE_CHECKING

from csf_backup_plugin.errors import BackupError
from csf_backup_plugin.names import shown
from csf_backup_plugin.system_errors import HalfDone, reason

if TYPE_CHECKING:
    from collections.abc import Iterable

    from csf_backup_plugin.hosts.protocol.host import Host


def clean_up(paths: Iterable[str], host: Host, consequence: str = "") -> list[str]:
    """Remove files, and directories that are empty then.

    Args:
        paths: what our run has created, in the order of removal.
        host: where they are.
        consequence: what follows if they stay; words that are added to the warning.

    Returns:
        A warning if they could not be removed.
    """
    listed = list(paths)
    if not listed:
        return []
    try:
        host.remove(listed)
    except (OSError, BackupError) as error:
        if isinstance(error, HalfDone):  # it was removed
            return [reason(error)]
        return [f"{shown(listed[-1])} could not be removed{consequence}: {reason(error)}"]
    return []


def clean_up_record(path: str, host: Host) -> list[str]:
    """Remove the record of a utility's run.

    Args:
        path: the directory.
        host: where it is.

    Returns:
        A warning if it could not be removed.
    """
    try:
        host.remove_trees([path], mine=False)
    except (OSError, BackupError) as error:
        return [not_removed(path, error)]
    return []


def not_removed(path: str, error: OSError | BackupError) -> str:
    """Return the warning that the record of a utility's run could not be removed."""
    return f"{shown(path)} could not be removed: {reason(error)}"
