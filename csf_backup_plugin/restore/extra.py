"""What is said of extra databases that keep a restore from beginning."""

from __future__ import annotations

from typing import TYPE_CHECKING

from csf_backup_plugin.errors import ExtraDatabases
from csf_backup_plugin.names import command, shown

if TYPE_CHECKING:
    from csf_backup_plugin.restore.plan import RestorePlan
    from csf_backup_plugin.restore.quarantine import Quarantine
    from csf_backup_plugin.restore.request import RestoreRequest


def refused(request: RestoreRequest, plan: RestorePlan, place: Quarantine) -> ExtraDatabases | None:
    """Return the refusal of a restore with extra databases in the way.

    Args:
        request: what was asked for.
        plan: it has extra databases.
        place: where they could be moved to.

    Returns:
        An error that names them all and tells how to go on; None if they may be moved.
    """
    if request.quarantine:
        return None
    source, target = command(*plan.extra), command(place.directory)
    what = (
        f"In {shown(request.repository.directory)} on {request.image.host} there are databases "
        f"that are not in {request.image}, so the restored master database would not know them: "
        f"{', '.join(map(shown, plan.extra))}."
    )
    ways = (
        "They must be out of the way first. To have them moved, not deleted, and then restore:\n"
        f"{request.command('-quarantine')}\n"
        f"Or move them by hand on {request.image.host}, and run the same command again:\n"
        f"mkdir {target} && mv -n -- {source} {target}/"
    )
    error = ExtraDatabases(what, ways)
    error.facts = {"extra": list(plan.extra)}
    return error
