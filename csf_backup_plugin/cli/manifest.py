"""csf admin_database_manifest."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

from csf_backup_plugin.cli import options
from csf_backup_plugin.cli.command import CsfCommand
from csf_backup_plugin.errors import UsageError
from csf_backup_plugin.names import shown

if TYPE_CHECKING:
    from csf_backup_plugin.cli.outcome import Outcome
    from csf_backup_plugin.cli.runner import Run


@click.command(
    "admin_database_manifest",
    cls=CsfCommand,
)
@options.database
@options.host("Where it is.  [default: localhost]")
@options.image_file("An image to compare with as well.", required=False)
@click.option("-rebuild", is_flag=True, help="Rebuild the manifest from what is on disk.")
@click.option("-moved", is_flag=True, help="With -rebuild: the repository was moved here.")
@click.option("-copied", is_flag=True, help="With -rebuild: it is a copy, so it gets a new id.")
@click.option("-add", metavar="PATH", multiple=True, help="Add a database.  [repeatable]")
@click.option("-drop", metavar="PATH", multiple=True, help="Drop a database.  [repeatable]")
def admin_database_manifest(
    run: Run,
    master: str,
    host: str | None,
    image: str | None,
    add: tuple[str, ...],
    drop: tuple[str, ...],
    *,
    rebuild: bool,
    moved: bool,
    copied: bool,
) -> Outcome:
    """Show which databases are on disk, in the manifest, and in an image.

    The exit code is 13 if they are not the same.

    -rebuild rebuilds the manifest. It then lists the databases in the repository's directory,
    and those that it listed elsewhere and that still exist. With -image-file, it also lists those
    of the image that are on disk.

    -add and -drop add and drop single databases. A dropped one is not backed up any more, even if
    it stays on disk.
    """
    from csf_backup_plugin.cli.manifest_change import of_change
    from csf_backup_plugin.cli.manifest_coverage import of_coverage
    from csf_backup_plugin.image.path import ImagePath, check_host
    from csf_backup_plugin.operations.lock_wait import lock_wait
    from csf_backup_plugin.operations.manifest import change_manifest
    from csf_backup_plugin.operations.manifest.coverage import cover
    from csf_backup_plugin.operations.manifest.request import ManifestChange
    from csf_backup_plugin.operations.request import parse_repository

    repository, wait = parse_repository(master), lock_wait(os.environ)
    compared = None if image is None else ImagePath.parse(image)
    name = host or (compared.host if compared else "localhost")
    check_host(name, "-host", "Give -host as a name, such as localhost.")
    change = ManifestChange.parse(
        rebuild=rebuild, moved=moved, copied=copied, image=compared, add=add, drop=drop
    )
    if compared and name != compared.host:
        raise UsageError(
            f"The image is on {compared.host}, and -host says {name}.", "Leave -host out."
        )
    if compared and (add or drop) and not rebuild:
        raise UsageError(
            "-image-file must be given alone, or with -rebuild.", "Leave it out, or give -rebuild."
        )
    doing = f"The check of {shown(repository.manifest)} on {name}"
    with run.on(name, doing) as at:
        if rebuild or add or drop:
            return of_change(change_manifest(repository, change, wait, at, run.progress))
        return of_coverage(cover(repository, compared, wait, at, run.progress))
