"""csf admin_database_status."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import click

from csf_backup_plugin.cli import options
from csf_backup_plugin.cli.command import CsfCommand
from csf_backup_plugin.names import shown

if TYPE_CHECKING:
    from csf_backup_plugin.cli.outcome import Outcome
    from csf_backup_plugin.cli.runner import Run

_FORMATS = ("text", "json", "nagios", "prometheus")


class StatusCommand(CsfCommand):
    """The status command; for Nagios, a wrong command line is the state UNKNOWN."""

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **e: Any
    ) -> click.Context:
        """Return the context of a command line."""
        is_for_nagios = any(word.endswith("nagios") for word in args)
        try:
            return super().make_context(info_name, args, parent, **e)
        except click.UsageError as error:
            if is_for_nagios:
                from csf_backup_plugin.cli import nagios
                from csf_backup_plugin.cli.printing import printed

                printed(nagios.unknown(error.format_message()))
                error.exit_code = nagios.UNKNOWN  # type: ignore[misc]  # click reads it here
            raise


@click.command(
    "admin_database_status",
    cls=StatusCommand,
)
@options.image_directories("Where images are; on any host.", required=False)
@options.repositories
@options.fleet("Instead: a file with a section for each repository.", required=False)
@options.only
@options.jobs("How many hosts of the fleet file to ask at once.  [default: 8]", 8)
@click.option(
    "-max-age",
    type=options.Duration(),
    metavar="AGE",
    help="How old the newest image may be.  [default: as the fleet file says, or as promised by "
    "rotate -every, or 30h]",
)
@click.option(
    "-max-drill-age",
    type=options.Duration(none=True),
    metavar="AGE",
    help="How long ago the last good drill may be, or none for any time.  [default: as the fleet "
    "file says, or as promised, or 30d]",
)
@options.form(_FORMATS, default="text")
@click.option("-output", metavar="FILE", help="Write the output to this file, atomically.")
@options.limit
@click.option(
    "-rehearse",
    is_flag=True,
    help="Report a failure that did not happen to plugins, program and metrics, and list which "
    "of them are set up. Nothing else is checked.",
)
@options.quiet
def admin_database_status(
    run: Run,
    directories: tuple[str, ...],
    databases: tuple[str, ...],
    fleet: str | None,
    only: tuple[str, ...],
    jobs: int | None,
    max_age: float | None,
    max_drill_age: float | None,
    form: str,
    output: str | None,
    limit: float,
    *,
    rehearse: bool,
) -> Outcome:
    """Report how much work would be lost now, and what is wrong with the backups.

    Nothing is locked, and no image is read. The exit code is 50 if something is wrong with the
    newest image or with its receipt, or its last verification or drill has failed; 30 if a host
    cannot be reached; 70 if the newest image is too old, none is proven or was drilled lately,
    there is room for fewer than three more, or an image directory cannot be read or is
    not mounted.
    """
    from csf_backup_plugin.attempts.directory import state_directory
    from csf_backup_plugin.attempts.reading import read_attempts
    from csf_backup_plugin.cli import status_report
    from csf_backup_plugin.cli.given import given_options
    from csf_backup_plugin.command_names import STATUS
    from csf_backup_plugin.errors import UsageError
    from csf_backup_plugin.fleet.choice import choose
    from csf_backup_plugin.operations.status import look
    from csf_backup_plugin.operations.status.request import StatusRequest

    try:
        others, of_file = ("-image-dir", "-database"), ("-only", "-jobs")
        whole = choose(STATUS, fleet, given_options(), others[:1], others, of_file)
        if whole is None:
            request = StatusRequest.parse(directories, databases, max_age, max_drill_age)
        else:
            from csf_backup_plugin.fleet.status import request_of

            request = request_of(whole.only(only), max_age, max_drill_age)
    except UsageError as error:
        if form == "nagios":
            return status_report.unknown(error)
        raise

    run.as_json = run.as_json or (form == "json" and output is None)
    run.is_quiet = run.is_quiet and form == "text" and not rehearse
    in_colour = output is None
    if rehearse:
        from csf_backup_plugin.cli import rehearsal

        outcome = rehearsal.rehearse(request, form, os.environ, run.cancellation)
    elif whole is None:
        found = look(
            request,
            lambda host: run.on(host, f"The status of {host}", limit),
            lambda: read_attempts(state_directory(os.environ)),
        )
        outcome = status_report.outcome(found, form, in_colour=in_colour)
    else:
        from csf_backup_plugin.cli import fleet_status_report
        from csf_backup_plugin.fleet.status import AT_ONCE, look_at_fleet

        seen = look_at_fleet(
            whole,
            whole.only(only),
            request,
            lambda host: run.on(host, f"The status of {shown(whole.path)}", limit),
            lambda: read_attempts(state_directory(os.environ)),
            jobs or AT_ONCE,
        )
        outcome = fleet_status_report.outcome(seen, form, in_colour=in_colour)
    return status_report.written(outcome, form, output)
