"""csf admin_database_fleet."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import click

from csf_backup_plugin.cli import options
from csf_backup_plugin.cli.command import CsfCommand

if TYPE_CHECKING:
    from csf_backup_plugin.cli.outcome import Outcome
    from csf_backup_plugin.cli.runner import Run
    from csf_backup_plugin.fleet.driver.job import JobSpec

#: How many jobs run at once by default.
_JOBS = 8
_PREFIX = "admin_database_"
_ACTIONS = ("rotate", "verify", "drill", "copy")


class FleetCommand(CsfCommand):
    """A command whose own options precede an action, which is followed by options for the jobs."""

    def collect_usage_pieces(self, ctx: click.Context) -> list[str]:
        """Return the words after the command's name in its usage line."""
        return [*super().collect_usage_pieces(ctx), "|".join(_ACTIONS), "[OPTIONS OF EACH JOB]"]

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse the command's own options; the words after them are for the jobs."""
        at = self._end_of_own(ctx, args)
        own, given = args[:at], args[at:]
        if given and given[0] not in _ACTIONS:
            raise click.UsageError(
                f"Got an argument that belongs to no option, and is not one of "
                f"{', '.join(_ACTIONS)}: {given[0]}",
                ctx,
            )
        if "-help" in map(options.name_of, given):
            command = _command(given[0])
            about = click.Context(command, ctx.parent, command.name, **command.context_settings)
            click.echo(command.get_help(about))
            ctx.exit()
        rest = super().parse_args(ctx, own)
        if not given:
            raise click.UsageError(f"Missing argument: one of {', '.join(_ACTIONS)}.", ctx)
        ctx.params |= {"action": given[0], "given": tuple(given[1:])}
        return rest

    def _end_of_own(self, ctx: click.Context, args: list[str]) -> int:
        """Return how many words belong to the command's own options."""
        known = self.known_options(ctx)
        at = 0
        while at < len(args) and args[at].startswith("-"):
            option = known.get(options.name_of(args[at]))
            if option is None:  # an unknown option; refused when all words are parsed
                return len(args)
            at += 1 if option.is_flag or "=" in args[at] else 2
        return min(at, len(args))


@click.command(
    "admin_database_fleet",
    cls=FleetCommand,
)
@options.fleet("The fleet file: which repositories there are, and how each is backed up.")
@options.only
@options.jobs("Run at most N jobs at once, 2 on a host, and 1 on a disk.  [default: 8]", 1000)
@click.option(
    "-executor",
    metavar="MODULE:CALLABLE",
    help="A callable that returns the concurrent.futures.Executor that runs the jobs.  "
    "[default: threads]",
)
@click.option(
    "-give-up",
    "limit",
    type=options.Duration(),
    metavar="AGE",
    default="2d",
    help="How long to wait for a job; it is not stopped then, and counts as not done.  "
    "[default: 2d]",
)
@options.quiet
def admin_database_fleet(
    run: Run,
    fleet: str,
    only: tuple[str, ...],
    jobs: int | None,
    executor: str | None,
    limit: float,
    action: str,
    given: tuple[str, ...],
) -> Outcome:
    """Do the same with every repository of a fleet file, each in a process of its own.

    The options behind rotate, verify, drill or copy go to every job, and replace those that the
    fleet file gives. The repository that has waited longest comes first. A failure delays no other
    repository. The exit code is 0 if all jobs were done, the code that all failures share, or 80.

    SIGTERM, SIGINT and SIGHUP stop the jobs, which clean up, and are waited for. If this command
    is killed by SIGKILL, running jobs go on to their end. A second run on the same day makes no
    second set.
    """
    from csf_backup_plugin.cli import fleet_report
    from csf_backup_plugin.cli.fleet_screen import FleetScreen
    from csf_backup_plugin.fleet.driver import drive, planned
    from csf_backup_plugin.fleet.driver.request import FleetRequest

    request = FleetRequest.parse(
        fleet, only, action, given, jobs=jobs or _JOBS, executor=executor, limit=limit
    )
    run.cancellation.describe(f"csf admin_database_fleet {action}")
    specs = planned(request, sys.argv[0], os.environ, run.cancellation)
    for spec in specs:
        _check(spec)
    with FleetScreen(action) as screen:
        driven = drive(request, specs, screen, run.cancellation)
    run.ends_at_once = driven.is_any_lost
    return fleet_report.outcome(driven)


def _command(action: str) -> click.Command:
    """Return the command of an action for one repository."""
    from csf_backup_plugin.cli import COMMANDS

    return next(one for one in COMMANDS if one.name == _PREFIX + action)


def _check(spec: JobSpec) -> None:
    """Refuse a job whose command line is wrong, before any is started."""
    from csf_backup_plugin.errors import UsageError

    name, *words = spec.words
    command = _command(name.removeprefix(_PREFIX))
    context = click.Context(command, info_name=f"csf {name}", **command.context_settings)
    try:
        command.parse_args(context, words)
    except click.UsageError as error:
        raise UsageError(
            f"The job {spec.name} cannot be run: {error.format_message()}",
            f"See csf {name} -help for the options of each action.",
        ) from None
