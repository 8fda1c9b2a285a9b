"""csf admin_database_verify."""

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
    "admin_database_verify",
    cls=CsfCommand,
)
@options.one_image
@options.image_directory("Verify all images in DIR and in its places in turn.")
@click.option(
    "-older-than",
    type=options.Duration(),
    metavar="AGE",
    help="Skip images that were verified within this time, such as 30d.",
)
@click.option(
    "-budget",
    type=options.Duration(),
    metavar="AGE",
    help="Start no image after this time, such as 2h; the next run continues there.",
)
@options.repository
@options.quiet
def admin_database_verify(
    run: Run,
    image: str | None,
    directory: str | None,
    older_than: float | None,
    budget: float | None,
    master: str | None,
) -> Outcome:
    """See whether an image, its import file and its receipt still agree.

    The whole image is read. Everything that does not agree is named, and the exit code is then 50.
    The result is recorded in PATH.verify.json, if that is writable; nothing else is changed. If an
    image has no receipt, the message says what to do about it.

    -image-dir verifies every image with a receipt: first those that were never verified, then those
    whose last verification is longest ago. So damage to an old image is noticed while newer ones
    are good.
    """
    from csf_backup_plugin.cli import verify_all_report, verify_report
    from csf_backup_plugin.command_names import VERIFY
    from csf_backup_plugin.image.path import ImagePath
    from csf_backup_plugin.operations.request import check_one_of, parse_repository
    from csf_backup_plugin.operations.verify import verify
    from csf_backup_plugin.operations.verify.all_images import verify_all
    from csf_backup_plugin.operations.verify.request import VerifyAllRequest, check_one_image

    check_one_of(image, directory, VERIFY)
    if image is None:
        request = VerifyAllRequest.parse(str(directory), master, older_than, budget)
        where = f"{request.top.host}:{shown(request.top.directory)}"
        with run.on(request.top.host, f"The verification of all images in {where}") as host:
            made = verify_all(request, host, run.progress)
        return verify_all_report.outcome(made)
    check_one_image(older_than, budget)
    named = ImagePath.parse(image)
    repository = None if master is None else parse_repository(master)
    with run.on(named.host, f"The verification of {named}") as host:
        verified = verify(named, repository, host, run.progress)
    return verify_report.outcome(verified)
