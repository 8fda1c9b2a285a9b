"""What is said of an image that was verified: sentences for a person, facts for a program."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from csf_backup_plugin.cli.image_facts import image_facts
from csf_backup_plugin.cli.sizes import counted, human
from csf_backup_plugin.names import shown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from csf_backup_plugin.operations.verify import Verified


def sentences(verified: Verified) -> Iterator[str]:
    """Yield the lines for a person: one, and one for each warning."""
    image, receipt = verified.image, verified.receipt
    yield from (f"warning: {warning}" for warning in verified.warnings)
    digest = f"SHA-256 {receipt.sha256[:16]}..." if receipt.sha256 else "no checksum"
    what = f"{counted(len(receipt.databases), 'database')} of {shown(receipt.master)}"
    copied = "" if receipt.image == image else f", made as {receipt.image}"
    yield (
        f"Verified {image}{copied}: {human(receipt.size)}, {what}, backup begun {receipt.started}; "
        f"image, import file and receipt agree, {digest}, in {verified.seconds:.1f} s"
    )


def document(verified: Verified) -> dict[str, Any]:
    """Return the facts for a program."""
    image, receipt = verified.image, verified.receipt
    facts = image_facts(image, receipt, verified.warnings, verified.seconds)
    return {**facts, "made_as": {"host": receipt.image.host, "image": receipt.image.path}}
