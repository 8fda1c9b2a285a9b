"""Sentences about the removal of sets."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from csf_backup_plugin.operations.rotate.set_removal import Removal


def decisions(removal: Removal, *, dry_run: bool) -> Iterator[str]:
    """Yield a line for each set: the decision and its reason.

    Args:
        removal: what was decided, and done.
        dry_run: whether the decisions were not carried out.
    """
    would = "would be " if dry_run else ""
    for one in removal.decisions:
        image = one.one.image
        if not one.goes:
            yield f"kept {image}: {one.why}"
        elif dry_run or image in removal.removed:
            yield f"{would}deleted {image}: {one.why}"
        else:
            yield f"not deleted {image}: {one.why}"
    for image, why in removal.others:
        yield f"kept {image}: {why}"
    for image in removal.finished:
        yield f"deleted what was left of {image}: an earlier run had begun to remove it"
