"""csf admin_database_restore."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

from csf_backup_plugin.cli import options
from csf_backup_plugin.cli.command import CsfCommand, Seconds

if TYPE_CHECKING:
    from csf_backup_plugin.cli.outcome import Outcome
    from csf_backup_plugin.cli.run import Run
    from csf_backup_plugin.operations.restore.plan import RestorePlan


@click.command(
    "admin_database_restore",
    cls=CsfCommand,
    short_help="Restore a whole master repository from a proven image.",
)
@options.database
@options.existing_image
@click.option(
    "-quarantine",
    is_flag=True,
    help="Move databases that are not in the image to a directory of their own first.",
)
@click.option("-dry-run", is_flag=True, help="Check everything, show the plan, change nothing.")
@click.option("-yes", is_flag=True, help="Do not ask. Needed where there is no terminal.")
@click.option(
    "-into",
    metavar="DIR",
    help="Restore into another directory than the image was made of; MASTER is in it.",
)
@options.require_mount
@click.option(
    "-accept-unmounted",
    is_flag=True,
    help="Restore also to where a file system was mounted when the backup was made, and is not.",
)
@options.wait
@click.option(
    "-timeout",
    type=Seconds(least=1),
    metavar="SECONDS",
    help="Stop osrestore after so long.  [default: four times what 4 GB an hour takes]",
)
def admin_database_restore(
    run: Run,
    master: str,
    image: str,
    into: str | None,
    wait: float | None,
    timeout: float | None,
    *,
    quarantine: bool,
    dry_run: bool,
    yes: bool,
    require_mount: bool,
    accept_unmounted: bool,
) -> Outcome:
    """Restore every database of a master repository from an image, in one osrestore run.

    All work done since the backup is lost. Stop the application servers first, and leave the
    database servers running: the databases are unusable until the restore has succeeded.

    The image is checked against its receipt, and the plan is shown, before anything is changed. A
    database that is not in the image is in the way: the exit code is 60 then, unless -quarantine
    may move it. No database is ever deleted.
    """
    from csf_backup_plugin.cli.outcome import Outcome
    from csf_backup_plugin.cli.question import on_a_terminal, typed
    from csf_backup_plugin.cli.restore_outcome import document, plan_lines, sentences
    from csf_backup_plugin.errors import UsageError
    from csf_backup_plugin.names import shown
    from csf_backup_plugin.operations.request import lock_wait
    from csf_backup_plugin.operations.restore import restore
    from csf_backup_plugin.operations.restore.request import RestoreRequest

    request = RestoreRequest.parse(
        master,
        image,
        into=into,
        quarantine=quarantine,
        dry_run=dry_run,
        wait=lock_wait(os.environ) if wait is None else wait,
        timeout=timeout,
        unattended=yes,
        require_mount=require_mount,
        accept_unmounted=accept_unmounted,
    )
    name = request.repository.name
    if not (yes or dry_run or on_a_terminal()):
        raise UsageError(
            "There is no terminal to ask on whether the databases may be overwritten.",
            "Look at what would happen with -dry-run, then give -yes.",
        )
    doing = f"The restore of {shown(request.repository.master)} from {request.image}"

    def agreed(plan: RestorePlan) -> bool:
        if not (yes and run.as_json):
            run.progress.note("\n".join(plan_lines(plan)))
        question = f"To go on, type the master database's file name, {shown(name)}: "
        return yes or typed(name, question)

    with run.on(request.image.host, doing) as host:
        restored = restore(request, host, run.progress, agreed)
    return Outcome(sentences(restored), document(restored), restored.refusal)
