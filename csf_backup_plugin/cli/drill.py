"""csf admin_database_drill."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from csf_backup_plugin.cli import options
from csf_backup_plugin.cli.command import CsfCommand
from csf_backup_plugin.names import shown

if TYPE_CHECKING:
    from csf_backup_plugin.cli.outcome import Outcome
    from csf_backup_plugin.cli.runner import Run


@click.command(
    "admin_database_drill",
    cls=CsfCommand,
)
@options.one_image
@options.image_directory("Where -last-good looks for images; its places, too.")
@click.option(
    "-last-good",
    is_flag=True,
    help="Drill the images of -database from the newest to the oldest, until one is sound.",
)
@options.scratch_dir("Where on HOST a directory for the drill is made, and removed again.")
@options.repository
@options.quiet
def admin_database_drill(
    run: Run,
    image: str | None,
    directory: str | None,
    scratch: str,
    master: str | None,
    *,
    last_good: bool,
) -> Outcome:
    """Restore an image to a scratch directory, check every database, and record it.

    The repository is not touched. Names and sizes must be the receipt's. osverifydb, where there is
    one, must find every database sound. The result is recorded in PATH.drill.json, and the scratch
    copy is removed in any case. The exit code is 50 if anything is wrong.

    -last-good finds the last good image, and between which backups the databases became corrupt.
    The exit code is then 0 if the newest image is good.
    """
    from csf_backup_plugin.cli import drill_report, last_good_report
    from csf_backup_plugin.command_names import DRILL
    from csf_backup_plugin.operations.drill import drill
    from csf_backup_plugin.operations.drill.last_good import find_last_good
    from csf_backup_plugin.operations.drill.request import (
        DrillRequest,
        LastGoodRequest,
        check_last_good,
    )
    from csf_backup_plugin.operations.request import check_one_of

    check_one_of(image, directory, DRILL)
    check_last_good(directory, last_good=last_good)
    if image is None:
        search = LastGoodRequest.parse(str(directory), scratch, master)
        where = f"{search.top.host}:{shown(search.top.directory)}"
        with run.on(search.top.host, f"The search for the last good image in {where}") as host:
            found = find_last_good(search, host, run.progress)
        return last_good_report.outcome(found)
    request = DrillRequest.parse(image, scratch, master)
    with run.on(request.image.host, f"The drill of {request.image}") as host:
        made = drill(request, host, run.progress)
    return drill_report.outcome(made, request.directory)
