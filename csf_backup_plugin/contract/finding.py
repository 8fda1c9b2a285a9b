"""What the checklist has found: one line each."""

from __future__ import annotations

from typing import NamedTuple

from csf_backup_plugin.names import shown

FITS, DOES_NOT_FIT, CANNOT_BE_KNOWN = "fits", "does not fit", "cannot be known"

_LONGEST = 300  # characters of a foreign text that are shown


class Finding(NamedTuple):
    """One line of the checklist.

    Attributes:
        verdict: `FITS`, `DOES_NOT_FIT` or `CANNOT_BE_KNOWN`.
        what: what was found, fit for a message.
        to_do: what to do; empty if there is nothing to do.
    """

    verdict: str
    what: str
    to_do: str = ""

    def __str__(self) -> str:
        """Return the line."""
        return f"{self.verdict}: {self.what}" + (f" - {self.to_do}" if self.to_do else "")


def raised(step: str, error: BaseException, to_do: str) -> Finding:
    """Return the finding that a step of csf has raised an error.

    Args:
        step: what raised it, as the subject of a sentence.
        error: any exception; even getting its text may fail.
        to_do: what to do.
    """
    try:
        text = in_one_line(str(error))
    except Exception:
        text = ""
    kind = shown(type(error).__name__)
    return Finding(DOES_NOT_FIT, f"{step} raises {kind}" + (f": {text}" if text else ""), to_do)


def in_one_line(text: str) -> str:
    """Return a foreign text in one line for a message."""
    line = shown(" ".join(text.split()))
    return line if len(line) <= _LONGEST else f"{line[:_LONGEST]}..."
