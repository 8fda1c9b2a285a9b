"""admin_database_schedule for the repositories of a fleet file."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from csf_backup_plugin.cli.schedule_report import outcome
from csf_backup_plugin.errors import UsageError
from csf_backup_plugin.fleet.schedule import of_host, schedule_here, schedule_of_control_host
from csf_backup_plugin.names import shown
from csf_backup_plugin.operations.schedule.request import parse_time
from csf_backup_plugin.operations.schedule.surroundings import look_around

if TYPE_CHECKING:
    from collections.abc import Sequence

    from csf_backup_plugin.cli.outcome import Outcome
    from csf_backup_plugin.cli.runner import Run
    from csf_backup_plugin.fleet.file import Fleet


def fleet_schedule(
    run: Run, fleet: Fleet, only: Sequence[str], host: str | None, form: str, at: str | None
) -> Outcome:
    """Return the outcome: the schedule of a fleet.

    Args:
        run: the run of the command.
        fleet: all repositories of the file.
        only: the names of the chosen repositories; empty for all.
        host: the host that the schedule is for, by its name in the file; None for a control host.
        form: the form of the schedule, as in `ScheduleRequest`.
        at: when the control host begins, as the user wrote it; None for a time that csf chooses.

    Raises:
        UsageError: two options exclude each other, or the schedule cannot be written in this form.
    """
    time, chosen = None if at is None else parse_time(at), fleet.only(only)
    if host is not None:
        if at is not None:
            raise UsageError(
                "-at and -host were given: with -host, each repository has its own time.",
                "Give the repository at = HH:MM in the fleet file.",
            )
        chosen = of_host(chosen, host)
    with run.on("localhost", f"The schedule for {shown(fleet.path)}") as this_machine:
        here = look_around(sys.argv[0], os.environ, this_machine.machine())
        if host is None:
            return outcome(schedule_of_control_host(chosen, only, form, time, here), form)
        return outcome(schedule_here(chosen, form, this_machine, here, run.progress), form)
