"""csf admin_database_prove."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

from csf_backup_plugin.cli import options
from csf_backup_plugin.cli.command import CsfCommand

if TYPE_CHECKING:
    from csf_backup_plugin.cli.outcome import Outcome
    from csf_backup_plugin.cli.run import Run


@click.command(
    "admin_database_prove",
    cls=CsfCommand,
    short_help="Give the image of a killed csf its receipt.",
)
@click.option(
    "-image-file",
    "image",
    metavar="HOST:PATH",
    required=True,
    help="The image, which has no receipt.",
)
@options.wait
def admin_database_prove(run: Run, image: str, wait: float | None) -> Outcome:
    """Prove an image whose csf was killed, and write its receipt.

    osbackup goes on when csf is killed, and how it ends is on record in PATH.run. If it has
    succeeded, the import file is there, and osrestore lists exactly its databases, the image gets
    the receipt that it lacks, and is a backup like any other. While osbackup runs, it is waited
    for. The exit code is 41 if the image cannot be proven. A receipt that is there is never
    changed.
    """
    from csf_backup_plugin.cli.outcome import Outcome
    from csf_backup_plugin.cli.prove_outcome import document, sentences
    from csf_backup_plugin.operations.prove import prove
    from csf_backup_plugin.operations.prove.request import ProveRequest
    from csf_backup_plugin.operations.request import lock_wait

    request = ProveRequest.parse(image, wait=lock_wait(os.environ) if wait is None else wait)
    with run.on(request.image.host, f"The proof of {request.image}") as host:
        proof = prove(request, host, run.progress)
    return Outcome(sentences(proof), document(proof))
