"""Running osbackup or osrestore to its end, with lock, run record, progress and time limit."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, NamedTuple

from csf_backup_plugin.advised_commands import not_run
from csf_backup_plugin.errors import TimedOut
from csf_backup_plugin.hosts.protocol.values import UNQUIET
from csf_backup_plugin.objectstore.program_end import described
from csf_backup_plugin.objectstore.quiesce_calls import not_quiet
from csf_backup_plugin.system_errors import NO_ROOM, in_words

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from csf_backup_plugin.errors import BackupError
    from csf_backup_plugin.hosts.protocol.host import Host
    from csf_backup_plugin.hosts.protocol.locking import Lock
    from csf_backup_plugin.hosts.protocol.programs import Quiesce
    from csf_backup_plugin.hosts.protocol.values import Completed

    #: Called after each poll with how the utility ended, if it has, and the watched file's size.
    Watch = Callable[[Completed | None, int], None]


class Utility(NamedTuple):
    """A utility as it is to be run.

    Attributes:
        name: its name, for messages.
        argv: its command.
        watched: the file whose size is polled.
        lock: the lock that it inherits; None if there is no lock.
        record: the path of its run record, which is created.
        timeout: how long it may take, in seconds.
        if_late: the advice if it takes longer.
        note: the record's file `note`; see `Host.start`.
        quiesce: what makes the repository quiet meanwhile, if anything.
    """

    name: str
    argv: Sequence[str]
    watched: str
    lock: Lock | None
    record: str
    timeout: float
    if_late: str
    note: bytes = b""
    quiesce: Quiesce | None = None


def run(utility: Utility, host: Host, watch: Callable[[], Watch]) -> Completed:
    """Run a utility to its end, and return how it ended.

    Args:
        utility: the utility.
        host: where it runs.
        watch: called once the utility has started; returns the function that is called after each
            poll.

    Raises:
        OSError: it could not be run.
        TimedOut: it did not end.
    """
    late = TimedOut(
        f"{utility.name} did not end within {utility.timeout:,.0f} s on {host.name}.",
        utility.if_late,
    )
    deadline = time.monotonic() + utility.timeout
    start = (utility.argv, utility.watched, utility.lock, utility.record, utility.timeout)
    try:
        with host.start(*start, note=utility.note, quiesce=utility.quiesce) as running:
            if utility.quiesce:  # `begin` has a time limit of its own
                deadline = time.monotonic() + utility.timeout
            report = watch()
            while time.monotonic() < deadline:
                completed, size = running.poll()
                report(completed, size)
                if completed:
                    return completed
            raise late
    except TimeoutError as error:
        if error.errno:  # an error of the system, as NFS has it
            raise
        raise late from None


def run_to_success(
    utility: Utility,
    host: Host,
    watch: Callable[[], Watch],
    failure: type[BackupError],
    doing: str,
    if_recorded: BackupError | None = None,
) -> None:
    """Run a utility to its end, and fail if the utility does.

    Args:
        utility: the utility.
        host: where it runs.
        watch: as for `run`.
        failure: the error to raise if it cannot be run, or fails.
        doing: what it does, for messages.
        if_recorded: the error to raise instead if something exists at its record's path.

    Raises:
        OSError: there is no space for its record.
        TimedOut: it did not end.
        NotQuiet: it was not run, since the repository could not be made quiet.
    """
    try:
        completed = run(utility, host, watch)
    except OSError as error:
        if if_recorded and isinstance(error, FileExistsError):
            raise if_recorded from None
        if error.errno in NO_ROOM:
            raise
        raise failure(
            f"{utility.argv[0]} could not be run on {host.name}: {in_words(error)}.",
            not_run(error, utility.argv[0]),
        ) from None
    if utility.quiesce and completed.status == UNQUIET:
        raise not_quiet(utility.name, utility.quiesce, utility.record, host)
    if completed.status:
        raise failure(
            f"{utility.name} failed on {host.name}, {doing}: {described(completed)}",
            "Fix what it reports, and run the same command again.",
        )
