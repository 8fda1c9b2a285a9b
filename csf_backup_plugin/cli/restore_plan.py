"""The plan of a restore as sentences, before the question and in a dry run."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING

from csf_backup_plugin.cli.human_sizes import counted, human
from csf_backup_plugin.names import IN_JSON, listed, shown

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from csf_backup_plugin.operations.restore.plan import RestorePlan


def plan_lines(plan: RestorePlan) -> Iterator[str]:
    """Yield what the user should know before the restore."""
    request = plan.request
    what = f"{counted(len(plan.targets), 'database')} ({human(plan.bytes)})"
    yield (
        f"To be restored: {what} of {shown(request.repository.master)} from {request.image}, "
        f"as they were at {shown(plan.receipt.started)}{_age(plan.receipt.started)}."
    )
    if plan.receipt.copied:
        yield f"  the image is a copy of {plan.receipt.copied.image}"
    if request.into:
        yield f"  made of {shown(plan.receipt.master)}, and restored into {shown(request.into)}"
    if plan.overwritten:
        yield f"  overwritten, so work since then is lost: {_some(plan.overwritten)}"
    if plan.appearing:
        yield f"  not on disk now: {_some(plan.appearing)}"
    if plan.extra:
        yield f"  not in the image, so they are moved to quarantine: {_some(plan.extra)}"
    yield from (f"  warning: {warning}" for warning in plan.warnings)


def _some(paths: Sequence[str]) -> str:
    """Return the number of databases, and the names of the first ones."""
    return f"{counted(len(paths), 'database')}: {listed(paths, IN_JSON)}"


def _age(started: str) -> str:
    """Return words that say how long ago the backup began."""
    age = datetime.datetime.now(datetime.timezone.utc) - datetime.datetime.fromisoformat(started)
    if age.total_seconds() < 0:
        return " (in the future, by this clock)"
    hours, minutes = divmod(round(age.total_seconds()) // 60, 60)
    days = f"{hours // 24} d " if hours >= 24 else ""
    return f" ({days}{hours % 24} h {minutes} min ago)"
