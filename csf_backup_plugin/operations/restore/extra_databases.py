"""The refusal of a restore because of extra databases."""

from __future__ import annotations

from typing import TYPE_CHECKING

from csf_backup_plugin.errors import ExtraDatabases
from csf_backup_plugin.names import IN_JSON, command, listed, shown

if TYPE_CHECKING:
    from csf_backup_plugin.operations.restore.plan import RestorePlan
    from csf_backup_plugin.operations.restore.quarantine import Quarantine
    from csf_backup_plugin.operations.restore.request import RestoreRequest


_MANY = 10  # how many paths are too many to type


def refused(request: RestoreRequest, plan: RestorePlan, place: Quarantine) -> ExtraDatabases | None:
    """Return the error for a restore with extra databases in the way.

    Args:
        request: the command's validated options.
        plan: the plan; it has extra databases.
        place: where they could be moved to.

    Returns:
        An error that names them and says how to go on; None if they may be moved.
    """
    if request.quarantine:
        return None
    what = (
        f"In {shown(request.repository.directory)} on {request.image.host} there are databases "
        f"({len(plan.extra):,}) that are not in {request.image}, so the restored master database "
        f"would not list them: {listed(plan.extra, IN_JSON)}."
    )
    ways = (
        "They must be out of the way first. To have them moved, not deleted, and then restore:\n"
        f"{request.command('-quarantine')}"
    )
    if len(plan.extra) <= _MANY:
        source, target = command(*plan.extra), command(place.directory)
        ways += (
            f"\nOr move them by hand on {request.image.host}, and run the same command again:\n"
            f"mkdir {target} && mv -n -- {source} {target}/"
        )
    return ExtraDatabases(what, ways, {"extra": list(plan.extra)})
