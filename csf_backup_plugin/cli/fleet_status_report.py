"""The status of a fleet as text, as a document, for Nagios, and for Prometheus."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from csf_backup_plugin.cli import nagios, prometheus
from csf_backup_plugin.cli.fleet_status_table import table
from csf_backup_plugin.cli.outcome import Outcome
from csf_backup_plugin.cli.printing import shows_colours
from csf_backup_plugin.cli.status_report import health_document, status_document
from csf_backup_plugin.fleet.status import STATES
from csf_backup_plugin.names import shown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from csf_backup_plugin.cli.prometheus import Sample
    from csf_backup_plugin.fleet.status import FleetStatus, Row


def outcome(found: FleetStatus, form: str, *, in_colour: bool) -> Outcome:
    """Return the outcome: the status of a fleet.

    Args:
        found: the status.
        form: ``text``, ``json``, ``nagios`` or ``prometheus``.
        in_colour: whether colours may be used, if it is printed on a terminal.
    """
    code: int | None = None
    if form == "nagios":
        code, text = nagios.line(found.status)
    elif form == "prometheus":
        code, text = 0, prometheus.page(found.status, [*_samples(found)])
    else:
        text = table(found, in_colour=in_colour and shows_colours())
    warnings = [f"warning: {warning}" for warning in found.status.warnings]
    return Outcome(warnings, _document(found), found.status.problem, text, code)


def _document(found: FleetStatus) -> dict[str, Any]:
    repositories = {"repositories": list(map(_row, found.rows))}
    return {"fleet": found.path, **status_document(found.status), **repositories}


def _row(row: Row) -> dict[str, Any]:
    facts: dict[str, Any] = {"name": row.name, "state": row.state}
    if row.health is None:
        return {**facts, "host": row.host, "master": row.master}
    return {**facts, **health_document(row.health)}


def _samples(found: FleetStatus) -> Iterator[Sample]:
    """Yield the state of each repository, also of those on unreached hosts."""
    for row in found.rows:
        labels = {"fleet": shown(found.path), "name": shown(row.name), "host": row.host}
        master = row.health.master if row.health else row.master
        state = len(STATES) - 1 - STATES.index(row.state)
        yield "fleet_repository_state", {**labels, "master": shown(master)}, float(state)
