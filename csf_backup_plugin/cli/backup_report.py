"""Sentences and facts about a backup, for the backup command and for a rotation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from csf_backup_plugin.cli.human_sizes import counted, human
from csf_backup_plugin.cli.image_facts import checksum, numbered
from csf_backup_plugin.errors import Warned
from csf_backup_plugin.names import command, shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from csf_backup_plugin.operations.backup import Backup
    from csf_backup_plugin.operations.backup.database_sizes import Sizes
    from csf_backup_plugin.repository.inventory import Inventory


def warning_lines(warnings: Iterable[str]) -> list[str]:
    """Return a line for each warning."""
    return [f"warning: {warning}" for warning in warnings]


def sentence(backup: Backup) -> str:
    """Return the sentence about a backup."""
    request, origin = backup.request, backup.origin
    coverage, image, master = backup.plan.found.coverage, request.image, request.repository.master
    databases = counted(len(coverage.databases), "database")
    what = f"{databases} ({human(coverage.bytes)}) of {shown(master)}"
    shared = backup.plan.shared_disk
    disk = f"shared physical disk: {'of a redundant array' if shared == 'array' else shared}"
    if backup.proof is None:
        typed = command(*backup.plan.argv)
        quiet = backup.plan.quiesce
        between = f", between calls of {shown(quiet.program)}" if quiet else ""
        return f"Dry run: would back up {what} to {image} with: {typed}{between} ({disk})"
    return (
        f"Backed up {what} to {image}: {human(backup.proof.size)} in {backup.seconds:.1f} s, "
        f"proven, {checksum(backup.proof.sha256)}, {numbered(origin.number)} ({disk})"
        f"{_changed(backup.proof.sizes)}"
    )


def _changed(sizes: Sizes) -> str:
    """Return how many databases changed while osbackup ran, if any did."""
    if not sizes.changed:
        return ""
    databases = counted(len(sizes.before), "database")
    return f"; files of {len(sizes.changed):,} of {databases} changed meanwhile"


def warned(warnings: Sequence[str], left: str) -> Warned | None:
    """Return the error of -strict if there are warnings, or None.

    Args:
        warnings: all warnings of the command.
        left: a sentence about what the command has made.
    """
    if not warnings:
        return None
    return Warned(
        f"There were warnings, and -strict was given: {counted(len(warnings), 'warning')}.",
        "Fix what they name.",
        left=left,
    )


def document(backup: Backup) -> dict[str, Any]:
    """Return the facts about a backup for the JSON document."""
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
        "quiesce": plan.quiesce.program if plan.quiesce else None,
        "warnings": list(backup.warnings),
        "seconds": round(backup.seconds, 3),
    }


def _not_taken(found: Inventory) -> dict[str, Any]:
    """Return the files beside the databases that are not backed up."""
    return {
        "left_out": list(found.left_out),
        "dropped": list(found.dropped),
        "directories": list(found.directories),
        "rest": list(found.rest),
        "others": {one.repository.master: sorted(one.listed) for one in found.others.known},
    }
