"""Run osbackup to its end, and show its progress."""

from __future__ import annotations

from typing import TYPE_CHECKING

from csf_backup_plugin.errors import ImageExists, OsbackupFailed
from csf_backup_plugin.names import shown
from csf_backup_plugin.objectstore.commands import OSBACKUP
from csf_backup_plugin.objectstore.runner import Utility, run_to_success

if TYPE_CHECKING:
    from csf_backup_plugin.hosts.protocol.host import Host
    from csf_backup_plugin.hosts.protocol.locking import Lock
    from csf_backup_plugin.hosts.protocol.values import Completed
    from csf_backup_plugin.image.path import ImagePath
    from csf_backup_plugin.operations.backup.preflight import Plan
    from csf_backup_plugin.progress_listener import Listener

_IF_LATE = "Look at the disks of databases and image; give it longer with -timeout SECONDS."


def run_osbackup(
    image: ImagePath,
    plan: Plan,
    timeout: float,
    lock: Lock | None,
    note: bytes,
    host: Host,
    listener: Listener,
) -> int:
    """Run osbackup to its end; the growth of the image shows the progress.

    Args:
        image: the image to create.
        plan: what to back up, and with what.
        timeout: how long it may take, in seconds.
        lock: the repository's lock, which osbackup inherits.
        note: the contents of the run record's file `note`.
        host: where it runs.
        listener: gets the progress.

    Returns:
        The image's size in bytes when osbackup had ended.

    Raises:
        ImageExists: something exists at the run record's path.
        OsbackupFailed: it could not be run, or failed.
        TimedOut: it did not end in time.
        NotQuiet: it was not run, since the repository could not be made quiet.
    """
    osbackup = Utility(OSBACKUP, plan.argv, image.path, lock, image.run, timeout, _IF_LATE)
    osbackup = osbackup._replace(note=note, quiesce=plan.quiesce)

    written, total = 0, plan.found.coverage.bytes

    def show(_completed: Completed | None, size: int) -> None:
        nonlocal written
        written = size
        listener.advance("backing up", size, total)

    run_to_success(
        osbackup,
        host,
        lambda: show,
        OsbackupFailed,
        f"writing {image}",
        ImageExists(
            f"{image.host}:{shown(image.run)} appeared just now: something else uses that name.",
            "Name another image.",
        ),
    )
    return written
