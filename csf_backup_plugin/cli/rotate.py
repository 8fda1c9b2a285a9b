"""csf admin_database_rotate."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

from csf_backup_plugin.cli import options
from csf_backup_plugin.cli.command import CsfCommand
from csf_backup_plugin.names import shown

if TYPE_CHECKING:
    from csf_backup_plugin.cli.outcome import Outcome
    from csf_backup_plugin.cli.runner import Run


@click.command(
    "admin_database_rotate",
    cls=CsfCommand,
)
@options.database
@options.image_directories("Where the places are; several take turns.")
@options.dated_day
@click.option(
    "-slot", metavar="YYYY-MM-DD", help="The date the run was due.  [default: the host's date]"
)
@options.keep_dated
@options.keep_monthly
@options.keep_yearly
@options.drill_every
@options.drill_scratch_dir
@click.option(
    "-every",
    type=options.Duration(),
    metavar="AGE",
    help="How often a set is due, such as 24h; status reports what is late.",
)
@click.option(
    "-run-id",
    metavar="ID",
    help="This run's id: at most one set is made for each id.  [default: a new one]",
)
@options.yes("Delete even if the new set is suspicious, or many dated sets would be removed.")
@options.dry_run("Print the whole plan, change nothing.")
@options.wait
@options.timeout("osbackup")
@options.no_checksum
@options.require_mount
@options.accept_small
@options.quiesce
@options.require_quiet
@options.strict
@options.quiet
def admin_database_rotate(
    run: Run,
    master: str,
    directories: tuple[str, ...],
    dated_day: str,
    slot: str | None,
    keep_dated: int | None,
    keep_monthly: int | None,
    keep_yearly: int | None,
    drill_every: float | None,
    scratch: str | None,
    every: float | None,
    run_id: str | None,
    wait: float | None,
    timeout: float | None,
    quiesce: str | None,
    *,
    yes: bool,
    dry_run: bool,
    no_checksum: bool,
    require_mount: bool,
    accept_small: bool,
    require_quiet: bool,
    strict: bool,
) -> Outcome:
    """Back up a master repository to the place of the day, and remove what that replaces.

    Each weekday has a place, DIR/monday and so on, whose set is replaced a week later. The sets of
    the dated day lie in DIR/dated. The new set is made and proven first, and drilled if that is
    due.

    Only sets that a rotation has made are removed. The newest set, the newest that was drilled, and
    one with a file PATH.keep beside it are never removed. Each decision is printed with its reason.
    If the new set is suspicious, nothing is removed, and the exit code is 71.
    """
    from csf_backup_plugin.cli.rotate_report import outcome
    from csf_backup_plugin.operations.lock_wait import lock_wait
    from csf_backup_plugin.operations.quiet.request import Quiescing
    from csf_backup_plugin.operations.rotate import rotate
    from csf_backup_plugin.operations.rotate.plan import Retention
    from csf_backup_plugin.operations.rotate.request import BackupOptions, RotateRequest
    from csf_backup_plugin.operations.shared_disk import ARRAYS

    request = RotateRequest.parse(
        master,
        directories,
        BackupOptions(
            dry_run=dry_run,
            wait=lock_wait(os.environ, wait),
            timeout=timeout,
            checksum=not no_checksum,
            require_mount=require_mount,
            arrays=frozenset(os.environ.get(ARRAYS, "").split()),
            accept_small=accept_small,
            quiescing=Quiescing.parse(os.environ, quiesce, is_required=require_quiet),
        ),
        dated_day=dated_day,
        slot=slot,
        retention=Retention(keep_dated, keep_monthly, keep_yearly),
        drill_every=drill_every,
        scratch=scratch,
        every=every,
        run_id=run_id,
        accepted=yes,
    )
    with run.on(request.host, f"The rotation of {shown(request.repository.master)}") as host:
        rotated = rotate(request, host, run.progress)
    return outcome(rotated, is_strict=strict)
