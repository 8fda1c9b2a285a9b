"""Ask a question on the terminal, until a signal comes."""

from __future__ import annotations

import os
import select
import sys
from typing import TYPE_CHECKING

from csf_backup_plugin.cli.printing import said
from csf_backup_plugin.names import shown

if TYPE_CHECKING:
    from csf_backup_plugin.cancellation import Cancellation

_POLL = 0.1  # seconds between two checks for signals


def on_a_terminal() -> bool:
    """Return whether standard input and standard error are terminals."""
    return all(stream is not None and stream.isatty() for stream in (sys.stdin, sys.stderr))


def typed(wanted: str, question: str, cancellation: Cancellation) -> bool:
    """Ask a question; return whether the answer is `wanted`, as it is or as it is shown.

    Args:
        wanted: the answer that means yes; any other answer, and the end of input, means no.
        question: what to ask.
        cancellation: the cancellation of the command; ends the wait for an answer.

    Raises:
        Interrupted: a signal has come.
    """
    descriptor = sys.stdin.fileno()
    try:
        if said(question, end=""):
            return False
        # Python would go on reading after a signal; short waits allow checks between them.
        while not select.select([descriptor], [], [], _POLL)[0]:
            cancellation.check()
        answer = os.read(descriptor, 1 << 12)
    except OSError:  # the terminal is gone
        return False
    cancellation.check()
    encodings = ("utf-8", sys.stdin.encoding)  # the shown form may be typed or pasted, too
    right = [shown(wanted).encode(encoding, "backslashreplace") for encoding in encodings]
    return answer.rstrip(b"\n") in (os.fsencode(wanted), *right)
