"""What a dry run predicts about the steps that it leaves out."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING

from csf_backup_plugin.errors import OsbackupFailed
from csf_backup_plugin.names import listed
from csf_backup_plugin.operations.backup.number import origin_of, unnumbered

if TYPE_CHECKING:
    from csf_backup_plugin.hosts.protocol.host import Host
    from csf_backup_plugin.image.receipt import Origin
    from csf_backup_plugin.operations.backup.preflight import Plan
    from csf_backup_plugin.operations.backup.request import BackupRequest

#: The system's error for a file that this user may not write.
DENIED = PermissionError(errno.EACCES, "")


def foretell(request: BackupRequest, plan: Plan, host: Host) -> tuple[Origin, list[str]]:
    """Return which backup it would be, and a warning if the manifest could not be written.

    Args:
        request: what to back up, and where to.
        plan: the result of the preflight.
        host: the host to work on.

    Raises:
        OsbackupFailed: osbackup would fail.
    """
    repository = request.repository
    written = repository.directory if plan.found.recorded is None else repository.manifest
    _, (at,) = host.together(lambda: _check_readable(plan, host), lambda: host.look([written]))
    if at.writable:
        return origin_of(plan), []
    return unnumbered(repository.manifest, plan, DENIED)


def _check_readable(plan: Plan, host: Host) -> None:
    """Refuse databases that this user may not read: osbackup would fail.

    Raises:
        OsbackupFailed: the message names the databases.
    """
    paths = plan.found.coverage.paths
    looked = zip(paths, host.stat(paths), strict=True)
    if unreadable := [path for path, at in looked if not at.readable]:
        raise OsbackupFailed(
            f"Dry run: osbackup would fail on {host.name}, since this user may not read "
            f"{listed(unreadable)}.",
            "Run the command as a user who may read them.",
        )
