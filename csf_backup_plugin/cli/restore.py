"""csf admin_database_restore."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import click

from csf_backup_plugin.cli import options
from csf_backup_plugin.cli.command import CsfCommand
from csf_backup_plugin.errors import UsageError
from csf_backup_plugin.names import command, shown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from csf_backup_plugin.cli.outcome import Outcome
    from csf_backup_plugin.cli.runner import Run
    from csf_backup_plugin.operations.restore import Restored
    from csf_backup_plugin.operations.restore.plan import RestorePlan


@click.command(
    "admin_database_restore",
    cls=CsfCommand,
)
@options.database
@options.existing_image
@click.option(
    "-quarantine",
    is_flag=True,
    help="Move databases that are not in the image to a directory of their own first.",
)
@options.dry_run("Check everything, show the plan, change nothing.")
@options.yes("Do not ask. Needed where there is no terminal.")
@click.option(
    "-into",
    metavar="DIR",
    help="Restore into DIR instead of the image's directory; MASTER is in DIR.",
)
@options.require_mount
@click.option(
    "-accept-unmounted",
    is_flag=True,
    help="Restore even if a file system of the backup is not mounted now.",
)
@options.quiesce
@options.require_quiet
@options.wait
@options.timeout("osrestore")
def admin_database_restore(
    run: Run,
    master: str,
    image: str,
    into: str | None,
    wait: float | None,
    timeout: float | None,
    quiesce: str | None,
    *,
    quarantine: bool,
    dry_run: bool,
    yes: bool,
    require_mount: bool,
    accept_unmounted: bool,
    require_quiet: bool,
) -> Outcome:
    """Restore every database of a master repository from an image, in one osrestore run.

    All work done since the backup is lost. Stop the application servers first, and leave the
    database servers running. The databases are unusable until the restore has succeeded.

    Before anything is changed, the image is checked against its receipt, and the plan is shown. If
    there are databases that are not in the image, the exit code is 60, unless -quarantine is given,
    which moves them. No database is ever deleted.
    """
    from csf_backup_plugin.cli.confirmation import on_a_terminal, typed
    from csf_backup_plugin.cli.outcome import Outcome
    from csf_backup_plugin.cli.restore_plan import plan_lines
    from csf_backup_plugin.operations.lock_wait import lock_wait
    from csf_backup_plugin.operations.quiet.request import Quiescing
    from csf_backup_plugin.operations.restore import restore
    from csf_backup_plugin.operations.restore.request import RestoreRequest

    request = RestoreRequest.parse(
        master,
        image,
        into=into,
        quarantine=quarantine,
        dry_run=dry_run,
        wait=lock_wait(os.environ, wait),
        timeout=timeout,
        unattended=yes,
        require_mount=require_mount,
        accept_unmounted=accept_unmounted,
        quiescing=Quiescing.parse(os.environ, quiesce, is_required=require_quiet),
    )
    name = request.repository.name
    if not (yes or dry_run or on_a_terminal()):
        raise UsageError(
            "There is no terminal to ask whether the databases may be overwritten.",
            "See what would happen with -dry-run, then give -yes.",
        )
    doing = f"The restore of {shown(request.repository.master)} from {request.image}"

    def agreed(plan: RestorePlan) -> bool:
        if not (yes and run.as_json):
            run.progress.note("\n".join(plan_lines(plan)))
        question = f"To go on, type the master database's file name, {shown(name)}: "
        return yes or typed(name, question, run.cancellation)

    with run.on(request.image.host, doing) as host:
        restored = restore(request, host, run.progress, agreed)
    return Outcome(_sentences(restored), _document(restored), restored.refusal)


def _sentences(outcome: Restored) -> Iterator[str]:
    """Yield the sentences about a restore."""
    from csf_backup_plugin.advised_commands import rebuild_command
    from csf_backup_plugin.cli.human_sizes import counted, human
    from csf_backup_plugin.cli.restore_plan import plan_lines

    plan, place, request = outcome.plan, outcome.place, outcome.plan.request
    if request.dry_run:
        yield from plan_lines(plan)
        typed = command(*plan.argv)
        yield f"Dry run: the command would be: {typed}"
        if outcome.refusal:
            yield f"It would be refused. {outcome.refusal.what}\n{outcome.refusal.next_step}"
        elif place:
            yield f"Quarantine would be a directory such as {shown(place.directory)}"
        return
    yield (
        f"Restored {counted(len(plan.targets), 'database')} ({human(plan.bytes)}) of "
        f"{shown(request.repository.master)} from {request.image}, as they were at "
        f"{shown(plan.receipt.started)}, in {outcome.seconds:.1f} s"
    )
    if place:
        yield (
            f"{counted(len(plan.extra), 'database')} that the image does not hold: moved to "
            f"{shown(place.directory)}. To move back what is there, on {request.image.host}: "
            f"{place.undo_command}"
        )
        yield f"and then: {rebuild_command(request.repository.master, request.image.host)}"
    known = len(plan.warnings)
    yield from (f"warning: {warning}" for warning in outcome.warnings[known:])


def _document(outcome: Restored) -> dict[str, Any]:
    """Return the facts about a restore for the JSON document."""
    from csf_backup_plugin.cli.image_facts import copied_from

    plan, place, request = outcome.plan, outcome.place, outcome.plan.request
    return {
        "dry_run": request.dry_run,
        "host": request.image.host,
        "image": request.image.path,
        "image_of": plan.receipt.master,
        "repository_id": plan.receipt.origin.id,
        "number": plan.receipt.origin.number,
        "master": request.repository.master,
        "started": plan.receipt.started,
        "copied_from": copied_from(plan.receipt),
        "databases": dict(plan.targets),
        "database_bytes": plan.bytes,
        "overwritten": list(plan.overwritten),
        "appearing": list(plan.appearing),
        "extra": list(plan.extra),
        "elsewhere": list(plan.elsewhere),
        "quarantine": place.directory if place and request.quarantine else None,
        "osrestore": list(plan.argv),
        "quiesce": plan.quiesce.program if plan.quiesce else None,
        "warnings": list(outcome.warnings),
        "seconds": round(outcome.seconds, 3),
    }
