"""How a program ended and what it printed, in words for a message."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from csf_backup_plugin.hosts.protocol.values import ENDLESS, UNKNOWN
from csf_backup_plugin.names import shown

if TYPE_CHECKING:
    from csf_backup_plugin.hosts.protocol.values import Completed

_LINES = 10  # lines of a program's output in a message
_SHOWN = 100_000  # bytes of the output that are searched for these lines


def described(completed: Completed) -> str:
    """Return in words how a program ended, and the last lines that it printed."""
    ending = f"signal {-completed.status}" if completed.status < 0 else f"exit {completed.status}"
    if completed.status == UNKNOWN:
        ending = "its exit status is not known: what waited for it was killed, or did not get it"
    elif completed.status == ENDLESS:
        ending = "it did not stop printing, and was stopped"
    output, errors = quoted(completed.output), quoted(completed.errors)
    if output and errors:
        return f"{ending}, and printed:\n{errors}\n  and on standard output:\n{output}"
    said = errors or output
    return f"{ending}, and printed:\n{said}" if said else f"{ending}, and printed nothing."


def beginning(output: bytes) -> str:
    """Return the beginning of a list, in words for a message."""
    words = quoted(output[:_SHOWN], last=False)
    return f"it begins:\n{words}" if words else "it is empty"


def quoted(data: bytes, *, last: bool = True) -> str:
    """Return the last lines that a program printed, or the first ones, for a message."""
    said = data[-_SHOWN:].splitlines()
    lines = [f"    {shown(os.fsdecode(line))[:500]}" for line in said if line.strip()]
    return "\n".join(lines[-_LINES:] if last else lines[:_LINES])
