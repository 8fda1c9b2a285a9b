"""Rehearse a failure: send one through each channel, to show that the channels work."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from csf_backup_plugin import timestamps
from csf_backup_plugin.attempts.outcomes import FAILED
from csf_backup_plugin.attempts.reading import Attempt
from csf_backup_plugin.cli import attempt_metrics, nagios, prometheus
from csf_backup_plugin.cli.outcome import Outcome
from csf_backup_plugin.command_names import ROTATE
from csf_backup_plugin.exit_codes import ExitCode
from csf_backup_plugin.names import command, listed, shown
from csf_backup_plugin.notices import Notices
from csf_backup_plugin.notices.program import VARIABLE as PROGRAM
from csf_backup_plugin.system_errors import why

if TYPE_CHECKING:
    from collections.abc import Mapping

    from csf_backup_plugin.cancellation import Cancellation
    from csf_backup_plugin.operations.status.request import StatusRequest

_SAID = "Rehearsal: nothing has failed; this is from admin_database_status -rehearse."
_NAME = "rehearsal"
_HOW = {
    **dict.fromkeys(("bytes", "repository_id", "place", "number", "drilled", "warnings")),
    "exit_code": int(ExitCode.UNEXPECTED),
    "outcome": FAILED,
    "seconds": 0.0,
    "error": _SAID,
}

_OTHERS = (
    "mail: cron mails what is printed, as this text is.",
    "nagios: -format nagios prints it in one line, and ends with 2.",
)


def rehearse(
    request: StatusRequest, form: str, environ: Mapping[str, str], cancellation: Cancellation
) -> Outcome:
    """Send a failed rotation, marked as a rehearsal, through each channel; look at no host.

    Args:
        request: the request for the status; its first host and repository are named in the failure.
        form: the format of the status; for Nagios and Prometheus, the output shows the failure.
        environ: the environment.
        cancellation: the cancellation of the command.
    """
    facts, warnings = _facts(request), list[str]()
    page = prometheus.written([*_samples(facts)])
    ways = {
        "plugins": _plugins(Notices(None, facts, environ, cancellation, warnings.append)),
        "program": _program(environ),
        "metrics": _metrics(environ, page, warnings),
    }
    status = int(ExitCode.WARNINGS if warnings else ExitCode.DONE)
    text = "\n".join([_SAID, *(f"  {way}" for way in (*ways.values(), *_OTHERS))])
    if form == "nagios":
        status, text = nagios.CRITICAL, nagios.critical(_SAID)
    elif form == "prometheus":
        text = page
    sentences = [f"warning: {warning}" for warning in warnings]
    return Outcome(
        sentences, {_NAME: True, **ways, "warnings": warnings}, output=text, status=status
    )


def _facts(request: StatusRequest) -> dict[str, Any]:
    host, repository = request.databases[0] if request.databases else (request.hosts[0], None)
    return {
        "command": ROTATE,
        "run_id": None,
        "host": host,
        "image": None,
        "image_dirs": tuple(f"{top.host}:{top.directory}" for top in request.tops),
        "database": repository.master if repository else None,
    }


def _samples(facts: Mapping[str, Any]) -> list[prometheus.Sample]:
    """Return the samples of a failed rotation of a repository named ``rehearsal``."""
    driver = os.uname().nodename
    last = Attempt("", ROTATE, driver, "", 0, timestamps.now(), exit_code=1, outcome=FAILED)
    labels = {"repository": _NAME, "master": shown(facts["database"] or _NAME)}
    labels |= {"host": shown(facts["host"]), "driver": shown(driver)}
    return [*prometheus.attempt_samples(last, None, labels)]


def _plugins(notices: Notices) -> str:
    titles = notices.rehearsed(_HOW)
    if not titles:
        return "plugins: none is installed (entry-point group csf_backup)."
    return f"plugins: notified {listed(titles)}."


def _program(environ: Mapping[str, str]) -> str:
    path = environ.get(PROGRAM)
    return f"program: called {command(path)}." if path else f"program: {PROGRAM} is not set."


def _metrics(environ: Mapping[str, str], page: str, warnings: list[str]) -> str:
    directory = environ.get(attempt_metrics.VARIABLE)
    if not directory:
        return f"metrics: {attempt_metrics.VARIABLE} is not set."
    try:
        path = attempt_metrics.write_rehearsal(directory, page)
    except (OSError, ValueError) as error:
        warnings.append(f"the metrics of this rehearsal cannot be written: {why(error)}")
        return f"metrics: nothing was written to {shown(directory)}."
    return f"metrics: wrote {shown(path)}; the next attempt removes it."
