"""csf admin_database_drill."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from csf_backup_plugin.cli import options
from csf_backup_plugin.cli.command import CsfCommand
from csf_backup_plugin.names import shown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from csf_backup_plugin.cli.outcome import Outcome
    from csf_backup_plugin.cli.runner import Run
    from csf_backup_plugin.operations.drill import Drill
    from csf_backup_plugin.operations.drill.request import DrillRequest


@click.command(
    "admin_database_drill",
    cls=CsfCommand,
    short_help="Restore an image to a scratch directory, to see that it can be.",
)
@options.existing_image
@options.scratch_dir("Where on HOST a directory for the drill is made, and removed again.")
@options.repository
def admin_database_drill(run: Run, image: str, scratch: str, master: str | None) -> Outcome:
    """Restore an image to a scratch directory, check every database, and record it.

    The repository is not touched. Names and sizes must be the receipt's, and osverifydb, where
    there is one, must find every database sound. Then PATH.drill.json beside the image says so. The
    scratch copy is removed in any case. The exit code is 50 if anything is wrong.
    """
    from csf_backup_plugin.cli.outcome import Outcome
    from csf_backup_plugin.operations.drill import drill
    from csf_backup_plugin.operations.drill.request import DrillRequest

    request = DrillRequest.parse(image, scratch, master)
    with run.on(request.image.host, f"The drill of {request.image}") as host:
        made = drill(request, host, run.progress)
    return Outcome(_sentences(made), _document(request, made))


def _sentences(drill: Drill) -> Iterator[str]:
    """Yield the lines for a person: one, and one for each warning."""
    from csf_backup_plugin.cli.human_sizes import counted, human

    plan, trial = drill.plan, drill.trial
    yield from (f"warning: {warning}" for warning in drill.warnings)
    databases = counted(len(plan.receipt.databases), "database")
    checked = "osverifydb found all sound" if plan.osverifydb else "not checked by osverifydb"
    yield (
        f"Restored {plan.image} for trial: {databases} ({human(trial.size)}) of "
        f"{shown(plan.receipt.master)} in {trial.seconds:.1f} s, {checked}; "
        f"recorded in {shown(plan.image.drill)}"
    )


def _document(request: DrillRequest, drill: Drill) -> dict[str, Any]:
    """Return the facts for a program."""
    plan, trial = drill.plan, drill.trial
    return {
        "host": plan.image.host,
        "image": plan.image.path,
        "image_bytes": plan.receipt.size,
        "image_sha256": plan.receipt.sha256,
        "record": plan.image.drill,
        "scratch_dir": request.directory,
        "repository_id": plan.receipt.origin.id,
        "number": plan.receipt.origin.number,
        "master": plan.receipt.master,
        "databases": len(plan.receipt.databases),
        "database_bytes": trial.size,
        "restore_seconds": round(trial.seconds, 3),
        "osverifydb": plan.osverifydb,
        "findings": [],
        "warnings": list(drill.warnings),
        "seconds": round(drill.seconds, 3),
    }
