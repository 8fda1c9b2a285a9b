"""osrestore at work, watched until its end."""

from __future__ import annotations

import posixpath
import time
from typing import TYPE_CHECKING

from csf_backup_plugin.advice import not_run
from csf_backup_plugin.errors import NO_ROOM, HostUnreachable, OsrestoreFailed, TimedOut, in_words
from csf_backup_plugin.objectstore.ending import described

if TYPE_CHECKING:
    from csf_backup_plugin.hosts.protocol import Completed, Host, Lock, Running
    from csf_backup_plugin.listener import Listener
    from csf_backup_plugin.operations.restore.plan import RestorePlan
    from csf_backup_plugin.operations.restore.request import RestoreRequest


def run_osrestore(
    request: RestoreRequest, plan: RestorePlan, lock: Lock | None, host: Host, listener: Listener
) -> None:
    """Run osrestore to its end.

    Args:
        request: what to restore, where from.
        plan: how.
        lock: the repository's, which osrestore inherits.
        host: where it runs.
        listener: told how far it is.

    Raises:
        OsrestoreFailed: it could not be run, or ended with anything but success.
        TimedOut: it did not end.
    """
    master, record = request.repository.master, request.repository.restore_run
    try:
        with host.start(plan.argv, master, lock, record) as running:
            completed = _wait(running, plan, host, listener)
    except OSError as error:
        if error.errno in NO_ROOM:
            raise
        raise OsrestoreFailed(
            f"{plan.argv[0]} could not be run on {host.name}: {in_words(error)}.",
            not_run(error, plan.argv[0]),
        ) from None
    if completed.status:
        raise OsrestoreFailed(
            f"osrestore failed on {host.name}, restoring {request.image}: {described(completed)}",
            "Put right what it names and run the same command again.",
        )


def _wait(running: Running, plan: RestorePlan, host: Host, listener: Listener) -> Completed:
    """Return how osrestore ended; meanwhile the space it fills shows how far it is.

    Where it fills none, since it writes into the databases that are there, nothing is shown rather
    than a bar that stands still: nobody should stop it because of that.
    """
    deadline = time.monotonic() + plan.timeout
    directory = posixpath.dirname(next(iter(plan.targets)))
    free = _free(directory, host)
    while time.monotonic() < deadline:
        completed, _ = running.poll()
        if completed:
            return completed
        now = _free(directory, host)
        if free is not None and now is not None and now < free:
            listener.advance("restoring", free - now, plan.bytes)
    raise TimedOut(
        f"osrestore did not end within {plan.timeout:,.0f} s on {host.name}.",
        "Look at the disks of databases and image, then run the same command again; give it longer "
        "with -timeout SECONDS.",
    )


def _free(directory: str, host: Host) -> int | None:
    """Return the bytes free in a directory; that nobody can tell is no reason to stop osrestore."""
    try:
        (facts,) = host.look([directory])
    except (OSError, HostUnreachable):
        return None
    return facts.free
