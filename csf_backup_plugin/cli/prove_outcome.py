"""What is said of an image that has its receipt: sentences for a person, facts for a program."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from csf_backup_plugin.cli.image_facts import image_facts
from csf_backup_plugin.cli.sizes import counted, human
from csf_backup_plugin.names import shown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from csf_backup_plugin.operations.prove import Proof


def sentences(proof: Proof) -> Iterator[str]:
    """Yield the lines for a person: one, and one for each warning."""
    image, receipt = proof.image, proof.receipt
    yield from (f"warning: {warning}" for warning in proof.warnings)
    number = f"backup {receipt.origin.number}" if receipt.origin.number else "without a number"
    what = (
        f"{human(receipt.size)}, {counted(len(receipt.databases), 'database')} of "
        f"{shown(receipt.master)}, backup begun {receipt.started}, {number}"
    )
    if proof.written:
        digest = f"SHA-256 {(receipt.sha256 or '')[:16]}..."
        yield f"Proved {image}, and wrote its receipt: {what}; {digest}, in {proof.seconds:.1f} s"
        return
    verify = image.command("admin_database_verify")
    yield f"{image} has its receipt already, and nothing was changed: {what}. To check it: {verify}"


def document(proof: Proof) -> dict[str, Any]:
    """Return the facts for a program."""
    image, receipt = proof.image, proof.receipt
    facts = image_facts(image, receipt, proof.warnings, proof.seconds)
    return {**facts, "receipt_written": proof.written}
