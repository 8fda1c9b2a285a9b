"""What is said of a drill that went well: sentences for a person, facts for a program."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from csf_backup_plugin.cli.sizes import counted, human
from csf_backup_plugin.names import shown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from csf_backup_plugin.operations.drill import Drill
    from csf_backup_plugin.operations.drill.request import DrillRequest


def sentences(drill: Drill) -> Iterator[str]:
    """Yield the lines for a person: one, and one for each warning."""
    plan, trial = drill.plan, drill.trial
    yield from (f"warning: {warning}" for warning in drill.warnings)
    databases = counted(len(plan.receipt.databases), "database")
    checked = "osverifydb found all sound" if plan.osverifydb else "not checked by osverifydb"
    yield (
        f"Restored {plan.image} for trial: {databases} ({human(trial.size)}) of "
        f"{shown(plan.receipt.master)} in {trial.seconds:.1f} s, {checked}; "
        f"recorded in {shown(plan.image.drill)}"
    )


def document(request: DrillRequest, drill: Drill) -> dict[str, Any]:
    """Return the facts for a program."""
    plan, trial = drill.plan, drill.trial
    return {
        "host": plan.image.host,
        "image": plan.image.path,
        "image_bytes": plan.receipt.size,
        "image_sha256": plan.receipt.sha256,
        "record": plan.image.drill,
        "scratch_dir": request.directory,
        "repository_id": plan.receipt.origin.id,
        "number": plan.receipt.origin.number,
        "master": plan.receipt.master,
        "databases": len(plan.receipt.databases),
        "database_bytes": trial.size,
        "restore_seconds": round(trial.seconds, 3),
        "osverifydb": plan.osverifydb,
        "findings": [],
        "warnings": list(drill.warnings),
        "seconds": round(drill.seconds, 3),
    }
