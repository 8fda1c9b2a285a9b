"""Choose and remove the sets that a new one replaces, under the repository's lock."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, NamedTuple

from csf_backup_plugin.command_names import ROTATE
from csf_backup_plugin.errors import LockBusy
from csf_backup_plugin.hosts.postponed import postponed
from csf_backup_plugin.image.catalog import Catalog, ImageSet
from csf_backup_plugin.names import shown
from csf_backup_plugin.operations.backup.locking import locked
from csf_backup_plugin.operations.rotate import plan
from csf_backup_plugin.operations.rotate.history import (
    of_one,
    placed,
    read_all,
    removable,
    witnesses,
)
from csf_backup_plugin.operations.rotate.set_removal import (
    Removal,
    carry_out,
    read_begun,
    reasons_to_withhold,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from csf_backup_plugin.hosts.protocol.host import Host
    from csf_backup_plugin.image.path import ImagePath
    from csf_backup_plugin.operations.rotate.filling import Filled
    from csf_backup_plugin.operations.rotate.freeze import Witness
    from csf_backup_plugin.operations.rotate.plan import PlacedSet
    from csf_backup_plugin.operations.rotate.site import Site
    from csf_backup_plugin.progress_listener import Listener

_ROOM_FOR = 3  # more sets of tonight's size


class Outlook(NamedTuple):
    """What a plan is based on.

    Attributes:
        catalog: the images in the image directories.
        sets: the repository's sets among them.
        witnesses: what is known about each of these sets.
    """

    catalog: Catalog
    sets: Sequence[ImageSet]
    witnesses: Sequence[Witness]


def remove_replaced(site: Site, filled: Filled, host: Host, listener: Listener) -> Removal:
    """Remove the sets that the new one replaces, under the repository's lock.

    Args:
        site: the host, the repository and the image directories.
        filled: the new set.
        host: the host to work on.
        listener: gets a note if the command has to wait.
    """
    request = site.request
    with contextlib.ExitStack() as stack:
        try:
            _, look, _ = locked(
                *(request.repository, request.wait, stack, host, listener),
                postponed(lambda: look_back(site, filled.image, host)),
                purpose=ROTATE,
            )
        except LockBusy as busy:
            return Removal(warnings=[f"nothing was removed, which the next run does: {busy.what}"])
        outlook = look()
        if outlook is None:
            unread = f"nothing was removed, since {filled.image} was not found"
            return Removal(warnings=[unread])
        planned = decide(site, outlook)
        if planned.withheld:
            return planned
        return _carry_out(planned, outlook, site, host)


def look_back(site: Site, image: ImagePath, host: Host) -> Outlook | None:
    """Return the sets of the repository that an image belongs to; None if the image is gone."""
    catalog = read_all([*site.at], host).catalog
    newest = next((one for one in catalog.sets if one.image == image), None)
    if newest is None:
        return None
    sets = of_one(catalog, newest)
    return Outlook(catalog, sets, witnesses(sets, catalog, host))


def decide(site: Site, outlook: Outlook, new: tuple[PlacedSet, Witness] | None = None) -> Removal:
    """Return what to do with each set.

    Args:
        site: the host, the repository and the image directories.
        outlook: the repository's sets.
        new: the set that a real run would make; None if there is none.
    """
    request, catalog = site.request, outlook.catalog
    others, ours = [], [new[0]] if new else []
    for one, witness in zip(outlook.sets, outlook.witnesses, strict=True):
        if why := removable(one, site.machine, request.repository):
            others.append((one.image, why))
        else:
            ours.append(placed(one, witness, catalog))
    known = [*outlook.witnesses, *([new[1]] if new else [])]
    decisions = plan.decide(ours, request.retention)
    withheld = []
    if not request.accepted:
        withheld = reasons_to_withhold(decisions, known, site.machine.now, "dated sets")
    return Removal(decisions, others, withheld=withheld)


def free_space_warnings(filled: Filled, host: Host) -> list[str]:
    """Return a warning if there is little room left for more sets of tonight's size.

    Args:
        filled: tonight's set, which was made just now.
        host: the host to work on.
    """
    proof = filled.backup.proof if filled.backup else None
    if proof is None:
        return []
    (at,) = host.look([filled.image.directory])
    if at.free >= _ROOM_FOR * proof.size:
        return []
    return [
        f"{filled.image.host}:{shown(filled.image.directory)} has {at.free:,} bytes free, which is "
        f"less than {_ROOM_FOR} more sets of {proof.size:,} bytes need"
    ]


def _carry_out(planned: Removal, outlook: Outlook, site: Site, host: Host) -> Removal:
    """Remove the planned sets, and those that an earlier run had begun to remove."""
    begun = read_begun(outlook.catalog, host)
    own = of_one(Catalog((*outlook.sets, *begun)), outlook.sets[0])
    repository = site.request.repository
    ours = [one for one in begun if one in own and not removable(one, site.machine, repository)]
    return carry_out(planned, ours, outlook.catalog, host)
