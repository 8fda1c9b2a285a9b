"""An owed `end` call of a repository: its record, and the call by a later command.

The guardian that has called `begin` calls `end`, too, and removes the record. If the guardian was
killed or the machine has crashed, the next command that takes the lock does both.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

from csf_backup_plugin.errors import BackupError
from csf_backup_plugin.hosts import quiescing
from csf_backup_plugin.hosts.common import as_wait_status
from csf_backup_plugin.hosts.guardian import PID_WIDTH
from csf_backup_plugin.hosts.postponed import postponed
from csf_backup_plugin.hosts.protocol.programs import Quiesce
from csf_backup_plugin.hosts.protocol.values import UNKNOWN, Completed
from csf_backup_plugin.names import command, shown
from csf_backup_plugin.objectstore.quiesce_calls import call_ended
from csf_backup_plugin.system_errors import in_words, reason

if TYPE_CHECKING:
    from collections.abc import Callable

    from csf_backup_plugin.hosts.protocol.host import Host
    from csf_backup_plugin.hosts.protocol.locking import Lock
    from csf_backup_plugin.hosts.protocol.values import Machine
    from csf_backup_plugin.repository.model import Repository

_FIRST = "csf-quiesced 1"
_KEYS = ("program", "master", "limit", "machine-id", "machine", "since")
_LONGEST = 20_000  # bytes of the record; longer ones are not valid


class Debt(NamedTuple):
    """An owed `end` call.

    Attributes:
        program: the program.
        master: the master database.
        limit: how long the call may take, in seconds.
        machine_id: the machine-id(5) of the host; empty if it had none.
        machine: the host's own name.
        since: when the run that called `begin` was started, in ISO 8601.
    """

    program: str
    master: str
    limit: float
    machine_id: str
    machine: str
    since: str

    @property
    def command(self) -> str:
        """The call that is owed."""
        return command(self.program, "end", self.master)


def encode(debt: Debt) -> str:
    """Return the record of a debt: one line for each attribute."""
    words = (*debt[:2], f"{debt.limit:g}", *debt[3:])
    lines = (f"{key} {word}" for key, word in zip(_KEYS, words, strict=True))
    return "\n".join([_FIRST, *lines, ""])


def decode(data: bytes) -> Debt | None:
    """Return the debt in a record; None if `encode` cannot have written it."""
    first, *lines = os.fsdecode(data[:_LONGEST]).split("\n")
    values = dict(line.partition(" ")[::2] for line in lines if line)
    try:
        program, master, limit, *rest = [values[key] for key in _KEYS]
        debt = Debt(program, master, float(limit), *rest)
    except (KeyError, ValueError):
        return None
    return debt if first == _FIRST and os.fsencode(encode(debt)) == data else None


def finding_debt(repository: Repository, host: Host) -> Callable[[], Callable[[], bytes | None]]:
    """Return a step for `Host.together` that reads what `settle_debt` needs."""
    return postponed(lambda: host.read(repository.quiesced))


def settle_debt(
    repository: Repository,
    lock: Lock | None,
    host: Host,
    found: Callable[[], bytes | None] | None = None,
    *,
    dry_run: bool = False,
) -> list[str]:
    """Call the `end` that is owed to a repository, if any; return a warning about it.

    Args:
        repository: the repository.
        lock: its lock. If it does not keep other commands out, another run may be active, so
            nothing is called.
        host: the host to work on.
        found: what the step of `finding_debt` returned under the lock; None to read it now.
        dry_run: call nothing, and only return the warning.
    """
    path, gone = shown(repository.quiesced), f"remove {shown(repository.quiesced)}"
    try:
        data = (found or finding_debt(repository, host)())()
    except OSError as error:
        return [f"whether a call with `end` is owed is not known: {in_words(error)}"]
    if data is None:
        return []
    debt = decode(data)
    if debt is None or debt.master != repository.master:
        what = "cannot be read" if debt is None else f"is about {shown(debt.master)}"
        return [
            f"{path} on {host.name} {what}, so the `end` that may be owed is not called. If the "
            f"application servers run, {gone}"
        ]
    owed = f"{debt.command} has been owed since {debt.since} ({path})"
    by_hand = f"Run it on {shown(debt.machine)}, and {gone}"
    if dry_run:
        return [f"{owed}; it would be called"]
    machine = host.machine()
    if (debt.machine_id, debt.machine) != (machine.id, machine.name):
        return [f"{owed}, on {shown(debt.machine)}; this is {shown(machine.name)}. {by_hand}"]
    if lock is None or lock.unsupported:
        return [f"{owed}, and was not called, since the repository cannot be locked. {by_hand}"]
    how = _call(debt, os.fsdecode(data), repository, host)
    if how == "0":
        return [
            f"{debt.command} had been owed since {debt.since}, by a run that was killed or whose "
            f"call failed. It was called on {host.name} now, and succeeded"
        ]
    return [f"{owed}, and {how}. {by_hand}"]


def _call(debt: Debt, owed: str, repository: Repository, host: Host) -> str:
    """Call `end`; return "0" if it succeeded, else how it failed, in words."""
    quiesce = Quiesce(debt.program, debt.master, repository.quiesced, owed, debt.limit)
    try:
        ran = host.run(
            quiescing.settling(quiesce, PID_WIDTH), quiescing.longest(debt.limit) + quiescing.GRACE
        )
    except TimeoutError:
        return "did not end"
    except (OSError, BackupError) as error:
        return f"may not have been called: {reason(error)}"
    printed = ran.output.strip().decode("ascii", "replace")
    if printed == "0" or not printed:
        return printed or "was not called, since another user has written that file"
    status = as_wait_status(int(printed)) if printed.isdecimal() else UNKNOWN
    return f"failed: {call_ended(Completed(status, b''), debt.limit).removesuffix('.')}"


def debt_of(program: str, repository: Repository, limit: float, machine: Machine) -> Debt:
    """Return the debt to record before `begin` is called."""
    return Debt(program, repository.master, limit, machine.id, machine.name, machine.now)
