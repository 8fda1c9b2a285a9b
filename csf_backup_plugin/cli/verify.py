"""csf admin_database_verify."""

from __future__ import annotations

import click

from csf_backup_plugin.cli import options
from csf_backup_plugin.cli.command import CsfCommand


@click.command(
    "admin_database_verify",
    cls=CsfCommand,
    short_help="See whether an image is still what its backup proved.",
)
@options.existing_image
@options.repository
@options.as_json
@click.pass_context
def admin_database_verify(
    ctx: click.Context, image: str, master: str | None, *, as_json: bool
) -> None:
    """See whether an image, its import file and its receipt still agree.

    The image is read whole. Everything that does not agree is named, and the exit code is 50 then.
    Nothing is changed. An image without a receipt is named, with what to do about it.
    """
    from csf_backup_plugin import interrupts
    from csf_backup_plugin.cli.outcome import reported
    from csf_backup_plugin.cli.progress import Progress
    from csf_backup_plugin.cli.verify_outcome import document, sentences
    from csf_backup_plugin.errors import ExitCode
    from csf_backup_plugin.hosts import connect
    from csf_backup_plugin.image_path import ImagePath
    from csf_backup_plugin.request import parse_repository
    from csf_backup_plugin.verify import verify

    with reported(ctx, as_json=as_json) as show:
        named = ImagePath.parse(image)
        repository = None if master is None else parse_repository(master)
        doing = f"The verification of {named}"
        with interrupts.noted(doing), Progress() as progress, connect(named.host) as at:
            verified = verify(named, repository, at, progress)
        show(sentences(verified), document(verified), ExitCode.DONE)
