"""A status as text, as a document, for Nagios, and for Prometheus."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from csf_backup_plugin.cli import nagios, prometheus
from csf_backup_plugin.cli.outcome import Outcome
from csf_backup_plugin.cli.printing import shows_colours
from csf_backup_plugin.cli.report import document
from csf_backup_plugin.cli.status_table import table
from csf_backup_plugin.cli.text_file import write
from csf_backup_plugin.command_names import STATUS
from csf_backup_plugin.system_errors import in_words

if TYPE_CHECKING:
    from csf_backup_plugin.errors import BackupError
    from csf_backup_plugin.image.check_record import Check
    from csf_backup_plugin.operations.status import Status
    from csf_backup_plugin.operations.status.health import Health, SetState


def outcome(status: Status, form: str, *, in_colour: bool) -> Outcome:
    """Return the outcome: a status.

    Args:
        status: the status.
        form: ``text``, ``json``, ``nagios`` or ``prometheus``.
        in_colour: whether colours may be used, if it is printed on a terminal.
    """
    code: int | None = None
    if form == "nagios":
        code, text = nagios.line(status)
    elif form == "prometheus":
        code, text = 0, prometheus.page(status)
    else:
        text = table(status, in_colour=in_colour and shows_colours())
    warnings = [f"warning: {warning}" for warning in status.warnings]
    return Outcome(warnings, status_document(status), status.problem, text, code)


def written(found: Outcome, form: str, path: str | None) -> Outcome:
    """Write the output to a file, if one is given; return the outcome without that output.

    Args:
        found: the outcome.
        form: the form, as in `outcome`.
        path: the file; None to leave the output in the outcome.

    Raises:
        OSError: the file cannot be written; with ``nagios``, the outcome says so instead.
    """
    if path is None:
        return found
    text = document(STATUS, found) if form == "json" else found.output
    assert isinstance(text, str)
    try:
        write(path, text + "\n")
    except OSError as error:
        if form != "nagios":
            raise
        why = nagios.unknown(f"the status cannot be written: {in_words(error)}")
        return found._replace(output=why, status=nagios.UNKNOWN)
    return found._replace(output="")


def unknown(error: BackupError) -> Outcome:
    """Return the outcome, for Nagios, of a wrong command line."""
    return Outcome((), {}, error, nagios.unknown(error.what), nagios.UNKNOWN)


def status_document(status: Status) -> dict[str, Any]:
    """Return the facts about a status for the JSON document."""
    return {
        "repositories": [health_document(one) for one in status.repositories],
        "unreached": [{"host": one.host, "why": one.problem.what} for one in status.unreached],
        "unread": list(status.unread),
        "warnings": list(status.warnings),
    }


def health_document(one: Health) -> dict[str, Any]:
    """Return the facts about one repository for the JSON document."""
    max_age, max_drill_age = one.limits
    return {
        "repository_id": one.id,
        "host": one.host,
        "machine": one.machine,
        "master": one.master,
        "faults": list(one.faults),
        "stale": list(one.stale),
        "notes": list(one.notes),
        "leftovers": one.leftovers,
        "room_for_sets": dict(one.room),
        "free_bytes": dict(one.free),
        "needed_bytes": one.needed,
        "max_age_seconds": max_age,
        "max_drill_age_seconds": max_drill_age,
        "due": one.due,
        "databases_now": one.coverage,
        "last_attempt": one.last_attempt._asdict() if one.last_attempt else None,
        "last_success": one.last_success._asdict() if one.last_success else None,
        "sets": [_set(state) for state in one.sets],
    }


def _set(one: SetState) -> dict[str, Any]:
    return {
        "image": one.image.path,
        "place": one.place or None,
        "number": one.number,
        "started": one.started,
        "age_seconds": round(one.age),
        "image_bytes": one.size,
        "databases": one.databases,
        "verified": _check(one.verified),
        "drilled": _check(one.drilled),
        "faults": list(one.faults),
        "copy_of": one.copied.name if one.copied else None,
    }


def _check(one: Check | None) -> dict[str, Any] | None:
    return one._asdict() if one else None
