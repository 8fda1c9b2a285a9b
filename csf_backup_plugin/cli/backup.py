"""csf admin_database_backup."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

from csf_backup_plugin.cli import options
from csf_backup_plugin.cli.command import CsfCommand
from csf_backup_plugin.errors import NOTHING_LEFT
from csf_backup_plugin.exit_codes import EXIT_CODES
from csf_backup_plugin.names import shown

if TYPE_CHECKING:
    from csf_backup_plugin.cli.outcome import Outcome
    from csf_backup_plugin.cli.runner import Run

_EXIT_CODES = "\n".join(f"  {code:>3}  {meaning}" for code, meaning in EXIT_CODES)


@click.command(
    "admin_database_backup",
    cls=CsfCommand,
    epilog=f"\b\nExit codes:\n{_EXIT_CODES}",
)
@options.database
@options.image_file("The image to make, on the host where the databases are.")
@options.dry_run("Check everything, create nothing.")
@options.wait
@options.timeout("osbackup")
@options.no_checksum
@options.require_mount
@options.accept_small
@options.quiesce
@options.require_quiet
@options.strict
@options.quiet
def admin_database_backup(
    run: Run,
    master: str,
    image: str,
    wait: float | None,
    timeout: float | None,
    quiesce: str | None,
    *,
    dry_run: bool,
    no_checksum: bool,
    require_mount: bool,
    accept_small: bool,
    require_quiet: bool,
    strict: bool,
) -> Outcome:
    """Back up every database of a master repository in one osbackup run.

    The image is then proven: osrestore must list exactly the databases that were to be backed up.
    A proven image gets a receipt beside it. A run that fails leaves nothing behind.
    """
    from csf_backup_plugin.cli import backup_report
    from csf_backup_plugin.cli.outcome import Outcome
    from csf_backup_plugin.operations.backup import back_up
    from csf_backup_plugin.operations.backup.request import BackupRequest
    from csf_backup_plugin.operations.lock_wait import lock_wait
    from csf_backup_plugin.operations.quiet.request import Quiescing
    from csf_backup_plugin.operations.shared_disk import ARRAYS

    request = BackupRequest.parse(
        master,
        image,
        dry_run=dry_run,
        wait=lock_wait(os.environ, wait),
        timeout=timeout,
        checksum=not no_checksum,
        require_mount=require_mount,
        arrays=os.environ.get(ARRAYS, ""),
        accept_small=accept_small,
        quiescing=Quiescing.parse(os.environ, quiesce, is_required=require_quiet),
    )
    doing = f"The backup of {shown(request.repository.master)} to {request.image}"
    with run.on(request.image.host, doing) as host:
        backup = back_up(request, host, run.progress)
    made = f"The backup is made and proven: {request.image}."
    left = NOTHING_LEFT if dry_run else made
    problem = backup_report.warned(backup.warnings, left) if strict else None
    sentences = (*backup_report.warning_lines(backup.warnings), backup_report.sentence(backup))
    return Outcome(sentences, backup_report.document(backup), problem)
