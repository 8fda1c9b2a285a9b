"""What is said of a restore: its plan, what became of it, and the same for a program."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, Any

from csf_backup_plugin.advice import rebuild_command
from csf_backup_plugin.cli.sizes import counted, human
from csf_backup_plugin.names import IN_JSON, command, listed, shown
from csf_backup_plugin.objectstore.commands import restore

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from csf_backup_plugin.operations.restore import Restored
    from csf_backup_plugin.operations.restore.plan import RestorePlan


def plan_lines(plan: RestorePlan) -> Iterator[str]:
    """Yield what a person should know before it is done."""
    request = plan.request
    what = f"{counted(len(plan.targets), 'database')} ({human(plan.bytes)})"
    yield (
        f"To be restored: {what} of {shown(request.repository.master)} from {request.image}, "
        f"as they were at {shown(plan.receipt.started)}{_age(plan.receipt.started)}."
    )
    if request.into:
        yield f"  made of {shown(plan.receipt.master)}, and restored into {shown(request.into)}"
    if plan.overwritten:
        yield f"  overwritten, so that work done since then is lost: {_some(plan.overwritten)}"
    if plan.appearing:
        yield f"  not on disk now: {_some(plan.appearing)}"
    if plan.extra:
        yield f"  not in the image, so to be moved to quarantine: {_some(plan.extra)}"
    yield from (f"  warning: {warning}" for warning in plan.warnings)


def sentences(outcome: Restored) -> Iterator[str]:
    """Yield the lines for a person."""
    plan, place, request = outcome.plan, outcome.place, outcome.plan.request
    if request.dry_run:
        yield from plan_lines(plan)
        typed = command(*restore(plan.osrestore, request.image.path, plan.pairs))
        yield f"Dry run: the command would be: {typed}"
        if outcome.refusal:
            yield f"It would be refused. {outcome.refusal.what}\n{outcome.refusal.next_step}"
        elif place:
            yield f"Quarantine would be a directory such as {shown(place.directory)}"
        return
    yield (
        f"Restored {counted(len(plan.targets), 'database')} ({human(plan.bytes)}) of "
        f"{shown(request.repository.master)} from {request.image}, as they were at "
        f"{shown(plan.receipt.started)}, in {outcome.seconds:.1f} s"
    )
    if place:
        yield (
            f"{counted(len(plan.extra), 'database')} that the image does not hold: moved to "
            f"{shown(place.directory)}. To move back what is there, on {request.image.host}: "
            f"{place.undo_command}"
        )
        yield f"and then: {rebuild_command(request.repository.master, request.image.host)}"
    told = len(plan.warnings)
    yield from (f"warning: {warning}" for warning in outcome.warnings[told:])


def document(outcome: Restored) -> dict[str, Any]:
    """Return the facts for a program."""
    plan, place, request = outcome.plan, outcome.place, outcome.plan.request
    return {
        "dry_run": request.dry_run,
        "host": request.image.host,
        "image": request.image.path,
        "image_of": plan.receipt.master,
        "repository_id": plan.receipt.origin.id,
        "number": plan.receipt.origin.number,
        "master": request.repository.master,
        "started": plan.receipt.started,
        "databases": dict(plan.targets),
        "database_bytes": plan.bytes,
        "overwritten": list(plan.overwritten),
        "appearing": list(plan.appearing),
        "extra": list(plan.extra),
        "elsewhere": list(plan.elsewhere),
        "quarantine": place.directory if place and request.quarantine else None,
        "osrestore": restore(plan.osrestore, request.image.path, plan.pairs),
        "warnings": list(outcome.warnings),
        "seconds": round(outcome.seconds, 3),
    }


def _some(paths: Sequence[str]) -> str:
    """Return the number of databases, and the names of the first."""
    return f"{counted(len(paths), 'database')}: {listed(paths, IN_JSON)}"


def _age(started: str) -> str:
    """Return how long ago that was."""
    age = datetime.datetime.now(datetime.timezone.utc) - datetime.datetime.fromisoformat(started)
    if age.total_seconds() < 0:
        return " (in the future, by this clock)"
    hours, minutes = divmod(round(age.total_seconds()) // 60, 60)
    days = f"{hours // 24} d " if hours >= 24 else ""
    return f" ({days}{hours % 24} h {minutes} min ago)"
