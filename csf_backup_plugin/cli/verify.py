"""csf admin_database_verify."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from csf_backup_plugin.cli import options
from csf_backup_plugin.cli.command import CsfCommand
from csf_backup_plugin.names import shown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from csf_backup_plugin.cli.outcome import Outcome
    from csf_backup_plugin.cli.runner import Run
    from csf_backup_plugin.operations.verify import Verified


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
    Nothing is changed, but that PATH.verify.json says how it went, where that may be written. An
    image without a receipt is named, with what to do about it.
    """
    from csf_backup_plugin.cli.outcome import Outcome
    from csf_backup_plugin.image.path import ImagePath
    from csf_backup_plugin.operations.request import parse_repository
    from csf_backup_plugin.operations.verify import verify

    named = ImagePath.parse(image)
    repository = None if master is None else parse_repository(master)
    with run.on(named.host, f"The verification of {named}") as host:
        verified = verify(named, repository, host, run.progress)
    return Outcome(_sentences(verified), _document(verified))


def _sentences(verified: Verified) -> Iterator[str]:
    """Yield the lines for a person: one, and one for each warning."""
    from csf_backup_plugin.cli.human_sizes import counted, human
    from csf_backup_plugin.cli.image_facts import checksum

    image, receipt = verified.image, verified.receipt
    yield from (f"warning: {warning}" for warning in verified.warnings)
    what = f"{counted(len(receipt.databases), 'database')} of {shown(receipt.master)}"
    copied = "" if receipt.image == image else f", made as {receipt.image}"
    yield (
        f"Verified {image}{copied}: {human(receipt.size)}, {what}, backup begun {receipt.started}; "
        f"image, import file and receipt agree, {checksum(receipt.sha256)}, "
        f"in {verified.seconds:.1f} s"
    )


def _document(verified: Verified) -> dict[str, Any]:
    """Return the facts for a program."""
    from csf_backup_plugin.cli.image_facts import image_facts

    image, receipt = verified.image, verified.receipt
    facts = image_facts(image, receipt, verified.warnings, verified.seconds)
    return {**facts, "made_as": {"host": receipt.image.host, "image": receipt.image.path}}
