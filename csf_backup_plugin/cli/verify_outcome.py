"""What is said of an image that was verified: sentences for a person, facts for a program."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from csf_backup_plugin.cli.image_facts import image_facts
from csf_backup_plugin.cli.sizes import counted, human
from csf_backup_plugin.names import shown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from csf_backup_plugin.verify import Verified


def sentences(verified: Verified) -> Iterator[str]:
    """Yield the lines for a person: one, and one for each warning."""
    image, proven = verified.image, verified.proven
    yield from (f"warning: {warning}" for warning in verified.warnings)
    digest = f"SHA-256 {proven.sha256[:16]}..." if proven.sha256 else "no checksum"
    what = f"{counted(len(proven.databases), 'database')} of {shown(proven.master)}"
    copied = "" if proven.image == image else f", made as {proven.image}"
    yield (
        f"Verified {image}{copied}: {human(proven.size)}, {what}, backup begun {proven.started}; "
        f"image, import file and receipt agree, {digest}, in {verified.seconds:.1f} s"
    )


def document(verified: Verified) -> dict[str, Any]:
    """Return the facts for a program."""
    image, proven = verified.image, verified.proven
    facts = image_facts(image, proven, verified.warnings, verified.seconds)
    return {**facts, "made_as": {"host": proven.image.host, "image": proven.image.path}}
