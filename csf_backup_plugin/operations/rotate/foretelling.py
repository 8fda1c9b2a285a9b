"""What a dry run predicts about the removal, as if tonight's set existed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from csf_backup_plugin.operations.rotate.freeze import Witness
from csf_backup_plugin.operations.rotate.plan import PlacedSet
from csf_backup_plugin.operations.rotate.removal import Outlook, decide

if TYPE_CHECKING:
    from csf_backup_plugin.operations.backup import Backup
    from csf_backup_plugin.operations.rotate.filling import Filled
    from csf_backup_plugin.operations.rotate.set_removal import Removal
    from csf_backup_plugin.operations.rotate.site import Site


def foretell(site: Site, filled: Filled) -> Removal:
    """Return what would be done with each set.

    Args:
        site: the host, the repository and the image directories.
        filled: the set that would be made.
    """
    tonight = filled.tonight
    outlook = Outlook(tonight.listed.catalog, tonight.own, tonight.witnesses)
    if filled.backup is None:
        return decide(site, outlook)
    return decide(site, outlook, _new(site, filled, filled.backup))


def _new(site: Site, filled: Filled, backup: Backup) -> tuple[PlacedSet, Witness]:
    """Return the set that would be made, without suspicions."""
    number, placement = backup.origin.number or 0, filled.placement
    databases = frozenset(map(site.request.repository.recorded, backup.plan.found.coverage.paths))
    size = backup.plan.found.coverage.bytes
    return (
        PlacedSet(
            filled.image,
            number,
            site.machine.now,
            placement.slot,
            placement.place,
            is_drilled=False,
            keep=False,
        ),
        Witness(
            filled.image,
            number,
            size,
            databases,
            (),
            is_accepted=False,
            drilled=None,
            verified=None,
        ),
    )
