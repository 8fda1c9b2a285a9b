"""csf admin_database_prove."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import click

from csf_backup_plugin.cli import options
from csf_backup_plugin.cli.command import CsfCommand
from csf_backup_plugin.names import shown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from csf_backup_plugin.cli.outcome import Outcome
    from csf_backup_plugin.cli.runner import Run
    from csf_backup_plugin.operations.prove import Proof


@click.command(
    "admin_database_prove",
    cls=CsfCommand,
)
@options.image_file("The image, which has no receipt.")
@options.wait
def admin_database_prove(run: Run, image: str, wait: float | None) -> Outcome:
    """Prove an image whose csf was killed, and write its receipt.

    osbackup goes on when csf is killed, and its end is recorded in PATH.run. While it runs, prove
    waits for it. If osbackup has succeeded, the import file is there, and osrestore lists exactly
    its databases, the image gets its receipt, and is then a backup like any other. If it cannot be
    proven, the exit code is 41. An existing receipt is never changed.
    """
    from csf_backup_plugin.cli.outcome import Outcome
    from csf_backup_plugin.operations.lock_wait import lock_wait
    from csf_backup_plugin.operations.prove import prove
    from csf_backup_plugin.operations.prove.request import ProveRequest

    request = ProveRequest.parse(image, wait=lock_wait(os.environ, wait))
    with run.on(request.image.host, f"The proof of {request.image}") as host:
        proof = prove(request, host, run.progress)
    return Outcome(_sentences(proof), _document(proof))


def _sentences(proof: Proof) -> Iterator[str]:
    """Yield the warnings, and the sentence about the proof."""
    from csf_backup_plugin.advised_commands import verify_command
    from csf_backup_plugin.cli.human_sizes import counted, human
    from csf_backup_plugin.cli.image_facts import checksum, made_as, numbered

    image, receipt = proof.image, proof.receipt
    yield from (f"warning: {warning}" for warning in proof.warnings)
    what = (
        f"{human(receipt.size)}, {counted(len(receipt.databases), 'database')} of "
        f"{shown(receipt.master)}, backup begun {receipt.started}, "
        f"{numbered(receipt.origin.number)}"
    )
    if proof.written:
        yield (
            f"Proved {image}, and wrote its receipt: {what}; {checksum(receipt.sha256)}, "
            f"in {proof.seconds:.1f} s"
        )
        return
    verify = verify_command(image.name)
    copied = made_as(image, receipt)
    yield (
        f"{image}{copied} has its receipt already, and nothing was changed: {what}. To check it: "
        f"{verify}"
    )


def _document(proof: Proof) -> dict[str, Any]:
    """Return the facts about the proof for the JSON document."""
    from csf_backup_plugin.cli.image_facts import image_facts

    image, receipt = proof.image, proof.receipt
    facts = image_facts(image, receipt, proof.warnings, proof.seconds)
    return {**facts, "receipt_written": proof.written}
