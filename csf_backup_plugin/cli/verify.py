"""csf admin_database_verify."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from csf_backup_plugin.cli import options
from csf_backup_plugin.cli.command import CsfCommand

if TYPE_CHECKING:
    from csf_backup_plugin.cli.outcome import Outcome
    from csf_backup_plugin.cli.run import Run


@click.command(
    "admin_database_verify",
    cls=CsfCommand,
    short_help="See whether an image is still what its backup proved.",
)
@options.existing_image
@options.repository
def admin_database_verify(run: Run, image: str, master: str | None) -> Outcome:
    """See whether an image, its import file and its receipt still agree.

    The image is read whole. Everything that does not agree is named, and the exit code is 50 then.
    Nothing is changed. An image without a receipt is named, with what to do about it.
    """
    from csf_backup_plugin.cli.outcome import Outcome
    from csf_backup_plugin.cli.verify_outcome import document, sentences
    from csf_backup_plugin.image.path import ImagePath
    from csf_backup_plugin.operations.request import parse_repository
    from csf_backup_plugin.operations.verify import verify

    named = ImagePath.parse(image)
    repository = None if master is None else parse_repository(master)
    with run.on(named.host, f"The verification of {named}") as host:
        verified = verify(named, repository, host, run.progress)
    return Outcome(sentences(verified), document(verified))
