"""Sentences and facts about a rotation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from csf_backup_plugin.cli import backup_report
from csf_backup_plugin.cli.outcome import Outcome
from csf_backup_plugin.cli.removal_report import decisions
from csf_backup_plugin.errors import NOTHING_LEFT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from csf_backup_plugin.operations.rotate import Rotated


def outcome(rotated: Rotated, *, is_strict: bool) -> Outcome:
    """Return the outcome of a rotation.

    Args:
        rotated: the result of the rotation.
        is_strict: whether -strict was given, with which warnings are an error.
    """
    problem = rotated.problem
    if not problem and is_strict:
        proven = f"The new backup is proven: {rotated.filled.image}."
        left = NOTHING_LEFT if rotated.request.dry_run else proven
        problem = backup_report.warned(rotated.warnings, left)
    return Outcome(tuple(_sentences(rotated)), _document(rotated), problem)


def _sentences(rotated: Rotated) -> Iterator[str]:
    """Yield the sentences about a rotation, with the decision about each set."""
    filled = rotated.filled
    yield from backup_report.warning_lines(rotated.warnings)
    yield from filled.also_done
    if rotated.request.dry_run:
        yield filled.rule
    if filled.backup:
        yield backup_report.sentence(filled.backup)
    if rotated.drilled and (made := rotated.drilled.drill):
        yield f"Restored it for trial in {made.trial.seconds:.1f} s: sound"
    yield from decisions(rotated.removal, dry_run=rotated.request.dry_run)
    if rotated.problem:
        yield f"Error: {rotated.problem}"


def _document(rotated: Rotated) -> dict[str, Any]:
    """Return the facts about a rotation for the JSON document."""
    request, filled, removal = rotated.request, rotated.filled, rotated.removal
    placement, drilled = filled.placement, rotated.drilled
    made = backup_report.document(filled.backup) if filled.backup else {}
    return {
        **made,
        "dry_run": request.dry_run,
        "host": filled.image.host,
        "image": filled.image.path,
        "place": placement.place,
        "slot": placement.slot.isoformat(),
        "run_id": placement.run_id,
        "made_now": filled.backup is not None,
        "also_done": list(filled.also_done),
        "drilled": bool(drilled and drilled.drill),
        "drill_problem": drilled.problem.what if drilled and drilled.problem else None,
        "plan": [
            {"image": one.one.image.path, "keep": not one.goes, "why": one.why}
            for one in removal.decisions
        ],
        "not_rotated": [{"image": image.path, "why": why} for image, why in removal.others],
        "removed": [image.path for image in (*removal.removed, *removal.finished)],
        "withheld": list(removal.withheld),
        "warnings": list(rotated.warnings),
        "seconds": round(rotated.seconds, 3),
    }
