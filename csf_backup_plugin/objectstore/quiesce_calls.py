"""How the calls of the program that makes a repository quiet ended; see `hosts.quiescing`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from csf_backup_plugin.errors import NotQuiet
from csf_backup_plugin.hosts import quiescing
from csf_backup_plugin.hosts.common import as_wait_status
from csf_backup_plugin.hosts.protocol.values import UNKNOWN, Completed
from csf_backup_plugin.names import command, shown
from csf_backup_plugin.objectstore.program_end import described

if TYPE_CHECKING:
    from csf_backup_plugin.hosts.protocol.host import Host
    from csf_backup_plugin.hosts.protocol.programs import Quiesce

_LATE = 124  # exit statuses of timeout(1)


class Calls(NamedTuple):
    """How the calls ended, from a run record.

    Attributes:
        begin: how the first call ended; None if that is not recorded.
        end: how the last call ended; None if that is not recorded.
    """

    begin: Completed | None
    end: Completed | None


def read_calls(record: str, host: Host) -> Calls:
    """Return what a run record says about the calls."""
    names = (quiescing.REPORT, "begin", "end")
    report, *outputs = host.read_each(f"{record}/{name}" for name in names)
    lines = report.splitlines() if isinstance(report, bytes) else []
    statuses = dict(line.split(b" ", 1) for line in lines if b" " in line)
    begin, end = (
        _completed(statuses.get(word), output)
        for word, output in zip((b"begin", b"end"), outputs, strict=True)
    )
    return Calls(begin, end)


def _completed(status: bytes | None, output: bytes | OSError | None) -> Completed | None:
    if status is None:
        return None
    words = output.replace(b"\0", b"") if isinstance(output, bytes) else b""
    is_known = re.fullmatch(rb"[0-9]{1,3}", status)
    return Completed(as_wait_status(int(status)) if is_known else UNKNOWN, words)


def call_ended(completed: Completed, limit: float) -> str:
    """Return in words how a call ended, and the last lines that it printed."""
    late = f"it did not end within {limit:g} s: " if completed.status == _LATE else ""
    return late + described(completed)


def not_quiet(utility: str, quiesce: Quiesce, record: str, host: Host) -> NotQuiet:
    """Return the error for a utility that was not run, since the repository was not quiet."""
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
        "Fix what it reports, and run the same command again.",
    )
