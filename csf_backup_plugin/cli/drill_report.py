"""Sentences and facts about the drill of one image."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from csf_backup_plugin.cli.human_sizes import counted, human
from csf_backup_plugin.cli.image_facts import copied_from, made_as
from csf_backup_plugin.cli.outcome import Outcome
from csf_backup_plugin.names import shown

if TYPE_CHECKING:
    from csf_backup_plugin.operations.drill import Drill


def outcome(made: Drill, directory: str) -> Outcome:
    """Return the outcome of a successful drill.

    Args:
        made: the drill.
        directory: where its scratch directory was made.
    """
    warnings = [f"warning: {warning}" for warning in made.warnings]
    return Outcome((*warnings, sentence(made)), document(made, directory))


def sentence(made: Drill) -> str:
    """Return the sentence about a drill."""
    plan, trial = made.plan, made.trial
    databases = counted(len(plan.receipt.databases), "database")
    checked = "osverifydb found all sound" if plan.osverifydb else "not checked by osverifydb"
    which = f"{plan.image}{made_as(plan.image, plan.receipt)}"
    return (
        f"Restored {which} for trial: {databases} ({human(trial.size)}) of "
        f"{shown(plan.receipt.master)} in {trial.seconds:.1f} s, {checked}; "
        f"recorded in {shown(plan.image.drill)}"
    )


def document(made: Drill, directory: str) -> dict[str, Any]:
    """Return the facts about a drill for the JSON document.

    Args:
        made: the drill.
        directory: where its scratch directory was made.
    """
    plan, trial = made.plan, made.trial
    return {
        "host": plan.image.host,
        "image": plan.image.path,
        "image_bytes": plan.receipt.size,
        "image_sha256": plan.receipt.sha256,
        "record": plan.image.drill,
        "scratch_dir": directory,
        "repository_id": plan.receipt.origin.id,
        "number": plan.receipt.origin.number,
        "copied_from": copied_from(plan.receipt),
        "master": plan.receipt.master,
        "databases": len(plan.receipt.databases),
        "database_bytes": trial.size,
        "restore_seconds": round(trial.seconds, 3),
        "osverifydb": plan.osverifydb,
        "findings": [],
        "warnings": list(made.warnings),
        "seconds": round(made.seconds, 3),
    }
