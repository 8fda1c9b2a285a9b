"""Warnings about file systems that cannot flush the names in a directory to the disk."""

from __future__ import annotations

from typing import TYPE_CHECKING

from csf_backup_plugin.names import listed

if TYPE_CHECKING:
    from collections.abc import Collection

    from csf_backup_plugin.hosts.protocol.host import Host


def unsynced_warnings(directories: Collection[str], what: str, host: Host) -> list[str]:
    """Return a warning about directories that could not be flushed to the disk, if there are any.

    Args:
        directories: as `Host.sync` returns them.
        what: what was written there.
        host: the host to work on.
    """
    if not directories:
        return []
    return [
        f"the file system of {listed(directories)} on {host.name} does not say when a file's name "
        f"has reached the disk: a power cut within the next minute may undo {what}"
    ]
