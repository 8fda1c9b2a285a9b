"""Sentences and facts about the verification of one image."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from csf_backup_plugin.cli.human_sizes import counted, human
from csf_backup_plugin.cli.image_facts import checksum, image_facts, made_as
from csf_backup_plugin.cli.outcome import Outcome
from csf_backup_plugin.names import shown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from csf_backup_plugin.operations.verify import Verified


def outcome(verified: Verified) -> Outcome:
    """Return the outcome of the verification of a sound image."""
    return Outcome(tuple(_sentences(verified)), document(verified))


def _sentences(verified: Verified) -> Iterator[str]:
    """Yield the warnings, and the sentence about the image."""
    image, receipt = verified.image, verified.receipt
    yield from (f"warning: {warning}" for warning in verified.warnings)
    what = f"{counted(len(receipt.databases), 'database')} of {shown(receipt.master)}"
    which = f"{image}{made_as(image, receipt)}"
    yield (
        f"Verified {which}: {human(receipt.size)}, {what}, backup begun {receipt.started}; "
        f"image, import file and receipt agree, {checksum(receipt.sha256)}, "
        f"in {verified.seconds:.1f} s"
    )


def document(verified: Verified) -> dict[str, Any]:
    """Return the facts about a verification for the JSON document."""
    image, receipt = verified.image, verified.receipt
    facts = image_facts(image, receipt, verified.warnings, verified.seconds)
    return {**facts, "made_as": {"host": receipt.image.host, "image": receipt.image.path}}
