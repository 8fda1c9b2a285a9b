"""csf admin_database_backup."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

from csf_backup_plugin.cli import options
from csf_backup_plugin.cli.command import CsfCommand, Seconds
from csf_backup_plugin.errors import ExitCode

if TYPE_CHECKING:
    from csf_backup_plugin.cli.outcome import Outcome
    from csf_backup_plugin.cli.run import Run


_EXIT_CODES = "\n".join(f"  {code.value:>3}  {code.meaning}" for code in ExitCode)


@click.command(
    "admin_database_backup",
    cls=CsfCommand,
    short_help="Back up a whole master repository, and prove the image.",
    epilog=f"\b\nExit codes:\n{_EXIT_CODES}\n  128+N  stopped by signal N",
)
@options.database
@click.option(
    "-image-file",
    "image",
    metavar="HOST:PATH",
    required=True,
    help="The image to make, on the host where the databases are.",
)
@click.option("-dry-run", is_flag=True, help="Check everything, create nothing.")
@options.wait
@click.option(
    "-timeout",
    type=Seconds(least=1),
    metavar="SECONDS",
    help="Stop osbackup after so long.  [default: four times what 4 GB an hour takes]",
)
@click.option("-no-checksum", is_flag=True, help="Do not take the image's SHA-256.")
@options.require_mount
@click.option(
    "-accept-small",
    is_flag=True,
    help="Accept an image of less than half of what its databases take up on the disk, as where "
    "osbackup compresses.",
)
@click.option("-strict", is_flag=True, help="Exit with 3 if there were warnings.")
def admin_database_backup(
    run: Run,
    master: str,
    image: str,
    wait: float | None,
    timeout: float | None,
    *,
    dry_run: bool,
    no_checksum: bool,
    require_mount: bool,
    accept_small: bool,
    strict: bool,
) -> Outcome:
    """Back up every database of a master repository in one osbackup run.

    The image is proven before it counts: osrestore must list exactly the databases that were to be
    backed up. Then a receipt is written beside it. A run that fails leaves nothing behind.
    """
    from csf_backup_plugin.cli.backup_outcome import document, sentences, warned
    from csf_backup_plugin.cli.outcome import Outcome
    from csf_backup_plugin.names import shown
    from csf_backup_plugin.operations.backup import back_up
    from csf_backup_plugin.operations.backup.request import BackupRequest
    from csf_backup_plugin.operations.request import lock_wait
    from csf_backup_plugin.operations.storage import ARRAYS

    request = BackupRequest.parse(
        master,
        image,
        dry_run=dry_run,
        wait=lock_wait(os.environ) if wait is None else wait,
        timeout=timeout,
        checksum=not no_checksum,
        require_mount=require_mount,
        arrays=os.environ.get(ARRAYS, ""),
        accept_small=accept_small,
    )
    doing = f"The backup of {shown(request.repository.master)} to {request.image}"
    with run.on(request.image.host, doing) as host:
        backup = back_up(request, host, run.progress)
    return Outcome(sentences(backup), document(backup), warned(backup) if strict else None)
