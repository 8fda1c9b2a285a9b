"""Run osrestore to its end, and show its progress."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING

from csf_backup_plugin.errors import HostUnreachable, OsrestoreFailed
from csf_backup_plugin.objectstore.commands import OSRESTORE
from csf_backup_plugin.objectstore.runner import Utility, run_to_success

if TYPE_CHECKING:
    from csf_backup_plugin.hosts.protocol.host import Host
    from csf_backup_plugin.hosts.protocol.locking import Lock
    from csf_backup_plugin.hosts.protocol.values import Completed
    from csf_backup_plugin.objectstore.runner import Watch
    from csf_backup_plugin.operations.restore.plan import RestorePlan
    from csf_backup_plugin.operations.restore.request import RestoreRequest
    from csf_backup_plugin.progress_listener import Listener

_IF_LATE = (
    "Look at the disks of databases and image, then run the same command again; give it longer "
    "with -timeout SECONDS."
)


def run_osrestore(
    request: RestoreRequest,
    plan: RestorePlan,
    free: int | None,
    lock: Lock | None,
    host: Host,
    listener: Listener,
) -> None:
    """Run osrestore to its end.

    Args:
        request: what to restore, and where from.
        plan: what to restore, and with what.
        free: what `free_space` returned before osrestore.
        lock: the repository's lock, which osrestore inherits.
        host: where it runs.
        listener: gets the progress.

    Raises:
        OsrestoreFailed: it could not be run, or failed.
        TimedOut: it did not end in time.
        NotQuiet: it was not run, since the repository could not be made quiet.
    """
    master, record = request.repository.master, request.repository.restore_run
    osrestore = Utility(OSRESTORE, plan.argv, master, lock, record, plan.timeout, _IF_LATE)
    osrestore = osrestore._replace(quiesce=plan.quiesce)
    run_to_success(
        osrestore,
        host,
        lambda: _watch(plan, free, host, listener),
        OsrestoreFailed,
        f"restoring {request.image}",
    )


def _watch(plan: RestorePlan, free: int | None, host: Host, listener: Listener) -> Watch:
    """Return a function that shows osrestore's progress by the disk space that it has used.

    If osrestore only overwrites existing databases, it uses no more space. Then no progress is
    shown: the user might stop osrestore if the bar did not move.
    """
    total = plan.bytes

    def show(completed: Completed | None, _size: int) -> None:
        now = None if completed else free_space(plan, host)
        if free is not None and now is not None and now < free:
            listener.advance("restoring", free - now, total)

    return show


def free_space(plan: RestorePlan, host: Host) -> int | None:
    """Return the free bytes in the master database's directory; None if they are not known."""
    directory = posixpath.dirname(next(iter(plan.targets)))
    try:
        (facts,) = host.look([directory])
    except (OSError, HostUnreachable):  # no reason to stop osrestore
        return None
    return facts.free
