"""csf admin_database_drill."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from csf_backup_plugin.cli import options
from csf_backup_plugin.cli.command import CsfCommand

if TYPE_CHECKING:
    from csf_backup_plugin.cli.outcome import Outcome
    from csf_backup_plugin.cli.run import Run


@click.command(
    "admin_database_drill",
    cls=CsfCommand,
    short_help="Restore an image to a scratch directory, to see that it can be.",
)
@options.existing_image
@click.option(
    "-scratch-dir",
    "directory",
    metavar="DIR",
    required=True,
    help="Where on HOST a directory for the drill is made, and removed again.",
)
@options.repository
def admin_database_drill(run: Run, image: str, directory: str, master: str | None) -> Outcome:
    """Restore an image to a scratch directory, check every database, and record it.

    The repository is not touched. Names and sizes must be the receipt's, and osverifydb, where
    there is one, must find every database sound. Then PATH.drill.json beside the image says so. The
    scratch copy is removed in any case. The exit code is 50 if anything is wrong.
    """
    from csf_backup_plugin.cli.drill_outcome import document, sentences
    from csf_backup_plugin.cli.outcome import Outcome
    from csf_backup_plugin.operations.drill import drill
    from csf_backup_plugin.operations.drill.request import DrillRequest

    request = DrillRequest.parse(image, directory, master)
    with run.on(request.image.host, f"The drill of {request.image}") as host:
        made = drill(request, host, run.progress)
    return Outcome(sentences(made), document(request, made))
