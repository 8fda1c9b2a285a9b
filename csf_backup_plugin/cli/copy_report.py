"""Sentences and facts about a copy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from csf_backup_plugin.cli.human_sizes import counted, human
from csf_backup_plugin.cli.image_facts import checksum, image_facts, numbered
from csf_backup_plugin.cli.outcome import Outcome
from csf_backup_plugin.cli.removal_report import decisions
from csf_backup_plugin.names import shown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from csf_backup_plugin.operations.copy import Copy


def outcome(made: Copy) -> Outcome:
    """Return the outcome of a copy."""
    return Outcome(tuple(_sentences(made)), _document(made), made.problem)


def _sentences(made: Copy) -> Iterator[str]:
    """Yield the sentences about a copy."""
    receipt = made.receipt
    yield from (f"warning: {warning}" for warning in made.warnings)
    yield from made.also_done
    what = (
        f"{human(receipt.size)}, {counted(len(receipt.databases), 'database')} of "
        f"{shown(receipt.master)}, {numbered(receipt.origin.number)}"
    )
    if made.made_now:
        yield (
            f"Copied {made.source} to {made.image}: {what}; read again there, "
            f"{checksum(receipt.sha256)}, in {made.seconds:.1f} s"
        )
    elif not made.also_done:
        yield f"Dry run: would copy {made.source} to {made.image}: {what}"
    yield from decisions(made.removal, dry_run=made.request.dry_run)
    if made.problem:
        yield f"Error: {made.problem}"


def _document(made: Copy) -> dict[str, Any]:
    """Return the facts about a copy for the JSON document."""
    facts = image_facts(made.image, made.receipt, made.warnings, made.seconds)
    return {
        **facts,
        "dry_run": made.request.dry_run,
        "made_now": made.made_now,
        "run_id": made.receipt.run_id,
        "also_done": list(made.also_done),
        "plan": [
            {"image": one.one.image.path, "keep": not one.goes, "why": one.why}
            for one in made.removal.decisions
        ],
        "removed": [image.path for image in (*made.removal.removed, *made.removal.finished)],
        "withheld": list(made.removal.withheld),
    }
