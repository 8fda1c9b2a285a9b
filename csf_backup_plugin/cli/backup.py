"""csf admin_database_backup."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import click

from csf_backup_plugin.cli import options
from csf_backup_plugin.cli.command import CsfCommand
from csf_backup_plugin.errors import NOTHING_LEFT, Warned
from csf_backup_plugin.exit_codes import EXIT_CODES
from csf_backup_plugin.names import command, shown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from csf_backup_plugin.cli.outcome import Outcome
    from csf_backup_plugin.cli.runner import Run
    from csf_backup_plugin.operations.backup import Backup
    from csf_backup_plugin.repository.inventory import Inventory

_EXIT_CODES = "\n".join(f"  {code:>3}  {meaning}" for code, meaning in EXIT_CODES)


@click.command(
    "admin_database_backup",
    cls=CsfCommand,
    short_help="Back up a whole master repository, and prove the image.",
    epilog=f"\b\nExit codes:\n{_EXIT_CODES}",
)
@options.database
@options.image_file("The image to make, on the host where the databases are.")
@options.dry_run("Check everything, create nothing.")
@options.wait
@options.timeout("osbackup")
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
    from csf_backup_plugin.cli.outcome import Outcome
    from csf_backup_plugin.operations.backup import back_up
    from csf_backup_plugin.operations.backup.request import BackupRequest
    from csf_backup_plugin.operations.request import lock_wait
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
    )
    doing = f"The backup of {shown(request.repository.master)} to {request.image}"
    with run.on(request.image.host, doing) as host:
        backup = back_up(request, host, run.progress)
    return Outcome(_sentences(backup), _document(backup), _warned(backup) if strict else None)


def _sentences(backup: Backup) -> Iterator[str]:
    """Yield the lines for a person: one, and one for each warning."""
    from csf_backup_plugin.cli.human_sizes import counted, human
    from csf_backup_plugin.cli.image_facts import checksum, numbered

    request, origin = backup.request, backup.origin
    coverage, image, master = backup.plan.found.coverage, request.image, request.repository.master
    databases = counted(len(coverage.databases), "database")
    what = f"{databases} ({human(coverage.bytes)}) of {shown(master)}"
    yield from (f"warning: {warning}" for warning in backup.warnings)
    shared = backup.plan.shared_disk
    disk = f"shared physical disk: {'of a redundant array' if shared == 'array' else shared}"
    if backup.proof is None:
        typed = command(*backup.plan.argv)
        yield f"Dry run: would back up {what} to {image} with: {typed} ({disk})"
        return
    yield (
        f"Backed up {what} to {image}: {human(backup.proof.size)} in {backup.seconds:.1f} s, "
        f"proven, {checksum(backup.proof.sha256)}, {numbered(origin.number)} ({disk})"
    )


def _warned(backup: Backup) -> Warned | None:
    """Return what -strict makes of warnings; None if there are none."""
    from csf_backup_plugin.cli.human_sizes import counted

    if not backup.warnings:
        return None
    there = counted(len(backup.warnings), "warning")
    return Warned(
        f"There were warnings, and -strict was given: {there}.",
        "Put right what they name.",
        left=f"The backup is made and proven: {backup.request.image}."
        if backup.proof
        else NOTHING_LEFT,
    )


def _document(backup: Backup) -> dict[str, Any]:
    """Return the facts for a program."""
    request, plan, proof = backup.request, backup.plan, backup.proof
    return {
        "dry_run": request.dry_run,
        "host": request.image.host,
        "image": request.image.path,
        "image_bytes": proof.size if proof else None,
        "image_sha256": proof.sha256 if proof else None,
        "import_file": request.image.import_file,
        "receipt": request.image.receipt,
        "repository_id": backup.origin.id,
        "number": backup.origin.number,
        "master": request.repository.master,
        "databases": proof.sizes.before_bytes if proof else dict(plan.found.coverage.databases),
        "databases_after": proof.sizes.after_bytes if proof else None,
        "changed": list(proof.sizes.changed) if proof else None,
        "database_bytes": plan.found.coverage.bytes,
        "not_in_manifest": list(plan.found.coverage.unlisted),
        "links": list(plan.found.links),
        **_not_taken(plan.found),
        "shared_disk": plan.shared_disk,
        "osbackup": list(plan.argv),
        "warnings": list(backup.warnings),
        "seconds": round(backup.seconds, 3),
    }


def _not_taken(found: Inventory) -> dict[str, Any]:
    """Return what lies beside the databases and is not backed up."""
    return {
        "left_out": list(found.left_out),
        "dropped": list(found.dropped),
        "directories": list(found.directories),
        "rest": list(found.rest),
        "others": {one.repository.master: sorted(one.listed) for one in found.others.known},
    }
