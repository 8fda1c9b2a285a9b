"""How the calls have ended of a program that makes a repository quiet; see `hosts.quiescing`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from csf_backup_plugin.errors import NotQuiet
from csf_backup_plugin.hosts import quiescing
from csf_backup_plugin.hosts.common import as_wait_status
from csf_backup_plugin.hosts.protocol import UNKNOWN, Completed
from csf_backup_plugin.names import command, shown
from csf_backup_plugin.objectstore.program_end import described

if TYPE_CHECKING:
    from csf_backup_plugin.hosts.protocol import Host, Quiesce

_LATE = 124  # what timeout(1) exits with


class Calls(NamedTuple):
    """What the record of a run says of them.

    Attributes:
        begin: how the first has ended; None if that is not on record.
        end: how the last has; None likewise.
    """

    begin: Completed | None
    end: Completed | None


def read_calls(record: str, host: Host) -> Calls:
    """Return what the record of a run says."""
    names = (quiescing.REPORT, "begin", "end")
    report, *said = host.read_each(f"{record}/{name}" for name in names)
    lines = report.splitlines() if isinstance(report, bytes) else []
    told = dict(line.split(b" ", 1) for line in lines if b" " in line)
    begin, end = (
        _completed(told.get(word), words)
        for word, words in zip((b"begin", b"end"), said, strict=True)
    )
    return Calls(begin, end)


def _completed(status: bytes | None, said: bytes | OSError | None) -> Completed | None:
    if status is None:
        return None
    words = said.replace(b"\0", b"") if isinstance(said, bytes) else b""
    is_known = re.fullmatch(rb"[0-9]{1,3}", status)
    return Completed(as_wait_status(int(status)) if is_known else UNKNOWN, words)


def call_ended(completed: Completed, limit: float) -> str:
    """Return how a call has ended, and the last it said, fit for a message."""
    late = f"it did not end within {limit:g} s: " if completed.status == _LATE else ""
    return late + described(completed)


def not_quiet(utility: str, quiesce: Quiesce, record: str, host: Host) -> NotQuiet:
    """Return why a utility was not run."""
    begin, typed = read_calls(record, host).begin, command(quiesce.program, "begin", quiesce.master)
    if begin is None:
        return NotQuiet(
            f"{shown(quiesce.debt)} could not be written on {host.name}, so {typed} was not called "
            f"there, and {utility} was not run.",
            "That file says that the call with `end` is owed. Make room there, or let this user "
            "write there, and run the same command again.",
        )
    return NotQuiet(
        f"The repository could not be made quiet, and {utility} was not run. On {host.name}, "
        f"{typed} failed: {call_ended(begin, quiesce.limit)}",
        "Put right what it says, and run the same command again.",
    )
