"""csf admin_database_drill."""

from __future__ import annotations

import click

from csf_backup_plugin.cli import options
from csf_backup_plugin.cli.command import CsfCommand


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
@options.as_json
@click.pass_context
def admin_database_drill(
    ctx: click.Context, image: str, directory: str, master: str | None, *, as_json: bool
) -> None:
    """Restore an image to a scratch directory, check every database, and record it.

    The repository is not touched. Names and sizes must be the receipt's, and osverifydb, where
    there is one, must find every database sound. Then PATH.drill.json beside the image says so. The
    scratch copy is removed in any case. The exit code is 50 if anything is wrong.
    """
    from csf_backup_plugin import interrupts
    from csf_backup_plugin.cli.drill_outcome import document, sentences
    from csf_backup_plugin.cli.outcome import reported
    from csf_backup_plugin.cli.progress import Progress
    from csf_backup_plugin.drill import drill
    from csf_backup_plugin.drill.request import DrillRequest
    from csf_backup_plugin.errors import ExitCode
    from csf_backup_plugin.hosts import connect

    with reported(ctx, as_json=as_json) as show:
        request = DrillRequest.parse(image, directory, master)
        doing, host = f"The drill of {request.image}", connect(request.image.host)
        with interrupts.noted(doing), Progress() as progress, host as at:
            made = drill(request, at, progress)
        show(sentences(made), document(request, made), ExitCode.DONE)
