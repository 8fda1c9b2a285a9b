"""csf admin_database_schedule."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import click

from csf_backup_plugin.cli import options
from csf_backup_plugin.cli.command import CsfCommand
from csf_backup_plugin.names import shown

if TYPE_CHECKING:
    from csf_backup_plugin.cli.outcome import Outcome
    from csf_backup_plugin.cli.runner import Run

_FORMATS = ("cron", "cron.d", "systemd")


@click.command(
    "admin_database_schedule",
    cls=CsfCommand,
)
@options.needed_database
@options.image_directories("Where the places are; several take turns.", required=False)
@options.fleet("Instead: a file with a section for each repository.", required=False)
@options.only
@options.host("Only what the fleet file has on HOST: this machine.  [default: all, from here]")
@options.form(_FORMATS)
@click.option(
    "-at",
    metavar="HH:MM",
    help="When the rotation begins.  [default: 04:MM, where MM depends on machine and repository]",
)
@options.dated_day
@options.keep_dated
@options.keep_monthly
@options.keep_yearly
@options.drill_every
@options.drill_scratch_dir
@options.wait
@options.timeout("osbackup")
@options.no_checksum
@options.require_mount
@options.accept_small
@options.quiesce
@options.require_quiet
@options.strict
def admin_database_schedule(
    run: Run,
    master: str | None,
    directories: tuple[str, ...],
    fleet: str | None,
    only: tuple[str, ...],
    host: str | None,
    form: str,
    at: str | None,
    dated_day: str,
    keep_dated: int | None,
    keep_monthly: int | None,
    keep_yearly: int | None,
    drill_every: float | None,
    scratch: str | None,
    wait: float | None,
    timeout: float | None,
    quiesce: str | None,
    *,
    no_checksum: bool,
    require_mount: bool,
    accept_small: bool,
    require_quiet: bool,
    strict: bool,
) -> Outcome:
    """Print a schedule for one rotation each day, and change nothing.

    Beside the rotation there are a status, which tells of a backup that was not made, and a
    verification of the older images. What csf finds here is in the schedule: PATH, OS_ROOTDIR and
    CSF_BACKUP_*, its own path, its user, and -require-mount if no image directory is on the file
    system of / now. The minute comes from the id of the machine csf runs on, and is the same every
    time.

    Of a fleet file, the schedule is that of one host, on which csf is installed, for each of its
    repositories; or that of a control host, which drives all hosts, none of which is asked now.
    """
    from csf_backup_plugin.cli.fleet_schedule import fleet_schedule
    from csf_backup_plugin.cli.given import given_options
    from csf_backup_plugin.cli.schedule_report import outcome
    from csf_backup_plugin.command_names import SCHEDULE
    from csf_backup_plugin.fleet.choice import choose
    from csf_backup_plugin.operations.lock_wait import lock_wait
    from csf_backup_plugin.operations.quiet.request import Quiescing
    from csf_backup_plugin.operations.rotate.plan import Retention
    from csf_backup_plugin.operations.rotate.request import BackupOptions, RotateRequest
    from csf_backup_plugin.operations.schedule import schedule
    from csf_backup_plugin.operations.schedule.request import EVERY, ScheduleRequest
    from csf_backup_plugin.operations.schedule.surroundings import look_around

    of_file = {"-fleet", "-only", "-host"}
    others = given_options() - of_file - {"-format", "-at", "-json", "-verbose"}
    needed = ("-database", "-image-dir")
    whole = choose(SCHEDULE, fleet, given_options(), needed, others, of_file)
    if whole is not None:
        return fleet_schedule(run, whole, only, host, form, at)
    assert master is not None
    given = BackupOptions(
        timeout=timeout,
        checksum=not no_checksum,
        require_mount=require_mount,
        accept_small=accept_small,
        quiescing=Quiescing.parse(os.environ, quiesce, is_required=require_quiet),
    )
    waited = lock_wait(os.environ, wait)
    rotation = RotateRequest.parse(
        master,
        directories,
        given if wait is None else {**given, "wait": waited},
        dated_day=dated_day,
        retention=Retention(keep_dated, keep_monthly, keep_yearly),
        drill_every=drill_every,
        scratch=scratch,
        every=EVERY,
    )
    request = ScheduleRequest.parse(rotation, form, at, strict=strict)
    doing = f"The schedule for {shown(rotation.repository.master)}"
    with run.on("localhost", doing) as this_machine:
        here = look_around(sys.argv[0], os.environ, this_machine.machine())
    with run.on(rotation.host, doing) as its_host:
        made = schedule(request, its_host, here, run.progress)
    return outcome(made, form)
