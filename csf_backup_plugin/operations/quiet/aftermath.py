"""Messages about the `end` call that a guardian makes after a utility."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from csf_backup_plugin.errors import BackupError, LockBusy, NotQuiet
from csf_backup_plugin.names import command, shown
from csf_backup_plugin.objectstore.quiesce_calls import call_ended, read_calls
from csf_backup_plugin.operations.quiet.debt import settle_debt

if TYPE_CHECKING:
    from collections.abc import Iterator

    from csf_backup_plugin.hosts.protocol.host import Host
    from csf_backup_plugin.hosts.protocol.locking import Lock
    from csf_backup_plugin.hosts.protocol.programs import Quiesce
    from csf_backup_plugin.repository.model import Repository


@contextlib.contextmanager
def report_end_call(
    quiesce: Quiesce | None, repository: Repository, record: str, lock: Lock | None, host: Host
) -> Iterator[list[str]]:
    """Run a utility in the block; add the outcome of the `end` call to the block's error.

    Args:
        quiesce: the programs that make the repository quiet; None if there are none.
        repository: the repository.
        record: the path of the utility's run record.
        lock: the repository's lock.
        host: where it runs.

    Yields:
        A list; it gets the warnings after the block has succeeded.
    """
    warnings: list[str] = []
    if quiesce is None:
        yield warnings
        return
    try:
        yield warnings
    except BackupError as error:
        problem = _problem(quiesce, repository, record, lock, host, error)
        if problem:
            error.what += f"\n{problem[0].upper()}{problem[1:]}."
        elif problem == "" and isinstance(error, NotQuiet):
            error.what += f"\nThen {_typed(quiesce)} was called, and succeeded."
        raise
    if problem := _problem(quiesce, repository, record, lock, host, None):
        warnings.append(problem)


def _problem(
    quiesce: Quiesce,
    repository: Repository,
    record: str,
    lock: Lock | None,
    host: Host,
    error: BackupError | None,
) -> str | None:
    """Return what is wrong with the `end` call, in words.

    Returns:
        Empty if `end` succeeded; None if it did not have to be called.
    """
    typed = _typed(quiesce)
    later = f"whether {typed} was called on {host.name} is not known: the next command finds out"
    if isinstance(error, LockBusy):
        return later
    if lock and lock.is_left:
        return f"{typed} is called on {host.name} as soon as what was started there has ended"
    try:
        end = read_calls(record, host).end
        if end is None:  # the guardian was killed, or did not call `begin`
            return "; ".join(settle_debt(repository, lock, host)) or None
    except (OSError, BackupError):
        return later
    if not end.status:
        return ""
    return (
        f"{typed} failed on {host.name}: {call_ended(end, quiesce.limit).removesuffix('.')}\n"
        "  What it should start may still be stopped: run it there, and remove "
        f"{shown(quiesce.debt)}. While that is there, each backup runs it again"
    )


def _typed(quiesce: Quiesce) -> str:
    return command(quiesce.program, "end", quiesce.master)
