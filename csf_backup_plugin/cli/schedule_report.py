"""Sentences and facts about a schedule, and the schedule itself."""

from __future__ import annotations

import os
import posixpath
from typing import TYPE_CHECKING, Any

from csf_backup_plugin.cli.backup_report import warning_lines
from csf_backup_plugin.cli.outcome import Outcome

if TYPE_CHECKING:
    from csf_backup_plugin.operations.schedule import File, Schedule


def outcome(made: Schedule, form: str) -> Outcome:
    """Return the outcome: the schedule for standard output, and warnings.

    Args:
        made: the schedule.
        form: the form of the schedule, as in `ScheduleRequest`.
    """
    sentences = (*warning_lines(made.warnings), f"Nothing was installed: {made.next_step}")
    text = "\n".join(one.text for one in made.files).removesuffix("\n")
    return Outcome(sentences, _document(made, form), output=os.fsencode(text))


def _document(made: Schedule, form: str) -> dict[str, Any]:
    """Return the facts about a schedule for the JSON document."""
    return {
        "format": form,
        "hour": made.at.hour if made.at else None,
        "minute": made.at.minute if made.at else None,
        "files": list(map(_file, made.files)),
        "warnings": list(made.warnings),
        "install": made.next_step,
    }


def _file(one: File) -> dict[str, Any]:
    return {
        "name": posixpath.basename(one.path) or None,
        "path": one.path or None,
        "text": one.text,
    }
