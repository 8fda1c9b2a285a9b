"""How a backup's outcome is shown: sentences on standard error, or one JSON document on stdout."""

from __future__ import annotations

import contextlib
import json
import shlex
from typing import TYPE_CHECKING, Any

import click

from csf_backup_plugin.cli.failure import Failure
from csf_backup_plugin.cli.sizes import human
from csf_backup_plugin.errors import BackupError, ExitCode
from csf_backup_plugin.names import shown
from csf_backup_plugin.objectstore import osbackup
from csf_backup_plugin.receipt import SCHEMA

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from csf_backup_plugin.backup import Backup
    from csf_backup_plugin.request import BackupRequest

    Show = Callable[[BackupRequest, Backup], None]


@contextlib.contextmanager
def reported(ctx: click.Context, *, as_json: bool, strict: bool) -> Iterator[Show]:
    """Show how the block's backup ends, and end the process with its exit code.

    Args:
        ctx: the command's context.
        as_json: print the one document, whatever the outcome.
        strict: let warnings be `ExitCode.WARNINGS`.

    Yields:
        What to call with the request and the backup it led to.
    """

    def show(request: BackupRequest, backup: Backup) -> None:
        code = ExitCode.WARNINGS if strict and backup.warnings else ExitCode.DONE
        if as_json:
            _print_json(ctx, code, document(request, backup))
        else:
            with contextlib.suppress(OSError):  # the exit code says it too
                click.echo("\n".join(sentences(request, backup)), err=True)
        ctx.exit(code)

    try:
        yield show
    except BackupError as error:
        if as_json:
            facts = {"error": error.what, "left": error.left, "next_step": error.next_step}
            with contextlib.suppress(click.ClickException):
                _print_json(ctx, error.exit_code, facts)
        raise Failure(error) from None


def sentences(request: BackupRequest, backup: Backup) -> Iterator[str]:
    """Yield the lines for a person: one, and one for each warning."""
    coverage, image, master = backup.plan.found.coverage, request.image, request.repository.master
    count = len(coverage.databases)
    databases = "1 database" if count == 1 else f"{count:,} databases"
    what = f"{databases} ({human(coverage.bytes)}) of {shown(master)}"
    yield from (f"warning: {warning}" for warning in backup.warnings)
    disk = f"shared physical disk: {backup.plan.shared_disk}"
    if backup.proof is None:
        command = shown(shlex.join(osbackup(backup.plan.osbackup, image)))
        yield f"Dry run: would back up {what} to {image} with: {command} ({disk})"
        return
    digest = backup.proof.sha256
    proof = f"SHA-256 {digest[:16]}..." if digest else "no checksum"
    yield (
        f"Backed up {what} to {image}: {human(backup.proof.size)} in {backup.seconds:.1f} s, "
        f"proven, {proof} ({disk})"
    )


def document(request: BackupRequest, backup: Backup) -> dict[str, Any]:
    """Return the facts for a program."""
    plan, proof = backup.plan, backup.proof
    return {
        "dry_run": request.dry_run,
        "host": request.image.host,
        "image": request.image.path,
        "image_bytes": proof.size if proof else None,
        "image_sha256": proof.sha256 if proof else None,
        "import_file": request.image.import_file,
        "receipt": request.image.receipt,
        "master": request.repository.master,
        "databases": dict(plan.found.coverage.databases),
        "database_bytes": plan.found.coverage.bytes,
        "shared_disk": plan.shared_disk,
        "osbackup": osbackup(plan.osbackup, request.image),
        "warnings": list(backup.warnings),
        "seconds": round(backup.seconds, 3),
    }


def _print_json(ctx: click.Context, code: int, facts: dict[str, Any]) -> None:
    head = {"schema": SCHEMA, "command": ctx.info_name, "exit_code": int(code)}
    try:
        click.echo(json.dumps({**head, **facts}))
    except OSError as error:
        raise click.ClickException(
            f"The outcome, exit code {int(code)}, could not be printed: {error.strerror}."
        ) from None
