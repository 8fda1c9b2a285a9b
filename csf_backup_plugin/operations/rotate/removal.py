"""Removing the sets that a new one replaces: the receipt first, so that no half set is a backup."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, NamedTuple

from csf_backup_plugin.command_names import ROTATE
from csf_backup_plugin.errors import LockBusy
from csf_backup_plugin.hosts.protocol import Withdrawal
from csf_backup_plugin.image.catalog import Catalog, ImageSet
from csf_backup_plugin.image.receipt_format import decode
from csf_backup_plugin.image.sealed_json import UnusableDocument
from csf_backup_plugin.names import listed, shown
from csf_backup_plugin.operations.backup.locking import locked
from csf_backup_plugin.operations.rotate import plan
from csf_backup_plugin.operations.rotate.freeze import Witness, reasons_to_freeze
from csf_backup_plugin.operations.rotate.history import (
    of_one,
    placed,
    read_all,
    removable,
    witnesses,
)
from csf_backup_plugin.system_errors import reason

if TYPE_CHECKING:
    from collections.abc import Sequence

    from csf_backup_plugin.hosts.protocol import Host
    from csf_backup_plugin.image.path import ImagePath
    from csf_backup_plugin.operations.rotate.filling import Filled
    from csf_backup_plugin.operations.rotate.plan import Decision, PlacedSet
    from csf_backup_plugin.operations.rotate.site import Site
    from csf_backup_plugin.progress_listener import Listener

_ROOM_FOR = 3  # more sets of tonight's size


class Removal(NamedTuple):
    """What was decided of the repository's sets, and done.

    Attributes:
        decisions: what the plan says of each set that a rotation has made.
        others: sets of the repository that no rotation removes, each with why.
        removed: those that were removed.
        finished: those whose removal an earlier run had begun.
        withheld: why nothing was removed, a sentence part each; empty if all that was to go has.
        warnings: what the user should know besides.
    """

    decisions: Sequence[Decision] = ()
    others: Sequence[tuple[ImagePath, str]] = ()
    removed: Sequence[ImagePath] = ()
    finished: Sequence[ImagePath] = ()
    withheld: Sequence[str] = ()
    warnings: Sequence[str] = ()


class Outlook(NamedTuple):
    """What a plan goes by.

    Attributes:
        catalog: what there is in the image directories.
        sets: the repository's.
        witnesses: what is known of each.
    """

    catalog: Catalog
    sets: Sequence[ImageSet]
    witnesses: Sequence[Witness]


def remove_replaced(site: Site, filled: Filled, host: Host, listener: Listener) -> Removal:
    """Remove what the new set replaces, under the repository's lock.

    Args:
        site: where.
        filled: the new set.
        host: the same host.
        listener: told of a wait.
    """
    request = site.request
    with contextlib.ExitStack() as stack:
        try:
            locked(request.repository, request.wait, stack, host, listener, purpose=ROTATE)
        except LockBusy as busy:
            return Removal(warnings=[f"nothing was removed, which the next run does: {busy.what}"])
        outlook = look_back(site, filled.image, host)
        if outlook is None:
            unread = f"nothing was removed, since {filled.image} is not found any more"
            return Removal(warnings=[unread])
        planned = decide(site, outlook)
        if planned.withheld:
            return planned
        return _carry_out(planned, outlook, site, host)


def look_back(site: Site, image: ImagePath, host: Host) -> Outlook | None:
    """Return what there is of the repository whose newest set is an image; None if that is gone."""
    catalog = read_all([*site.at], host).catalog
    newest = next((one for one in catalog.sets if one.image == image), None)
    if newest is None:
        return None
    sets = of_one(catalog, newest)
    return Outlook(catalog, sets, witnesses(sets, catalog, host))


def decide(site: Site, outlook: Outlook, new: tuple[PlacedSet, Witness] | None = None) -> Removal:
    """Return what is to become of each set.

    Args:
        site: where.
        outlook: what there is.
        new: the set that a dry run would have made.
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
        withheld = reasons_to_freeze(known, site.machine.now)
        if fuse := plan.blows_fuse(decisions):
            names = listed([one.image.name for one in fuse])
            withheld.append(
                f"{len(fuse):,} dated sets would go, which is more than {plan.FUSE}: {names}"
            )
    return Removal(decisions, others, withheld=withheld)


def free_space_warnings(filled: Filled, host: Host) -> list[str]:
    """Return a warning if there is no room for some more sets of tonight's size.

    Args:
        filled: tonight's set, which was made just now.
        host: where it is.
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
    """Remove what is to go, and what an earlier run had begun to remove."""
    goes = [one.one.image for one in planned.decisions if one.goes]
    warnings: list[str] = []
    begun = _begun(outlook, site, warnings, host)
    removed: list[ImagePath] = []
    if goes:
        answers = host.withdraw(
            Withdrawal(image.receipt, image.removing, image.keep) for image in goes
        )
        for image, why in zip(goes, answers, strict=True):
            if why:
                warnings.append(f"{image} was not removed: its receipt {why}")
            else:
                removed.append(image)
    stay = _rest_removed([*begun, *removed], warnings, host)
    finished = [image for image in begun if image not in stay]
    done = [image for image in removed if image not in stay]
    return planned._replace(removed=done, finished=finished, warnings=warnings)


def _rest_removed(images: Sequence[ImagePath], warnings: list[str], host: Host) -> list[ImagePath]:
    """Remove what is left of sets, in one exchange if that goes; return those that stay in part."""
    with contextlib.suppress(OSError):
        host.remove_trees([path for image in images for path in _rest(image)], mine=False)
        return []
    stay = []
    for image in images:
        try:
            host.remove_trees(_rest(image), mine=False)
        except OSError as error:
            why = reason(error)
            warnings.append(f"{image} is no backup any more, and is not all removed: {why}")
            stay.append(image)
    return stay


def _rest(image: ImagePath) -> tuple[str, ...]:
    """Return what is left of a set that is no backup any more; what says so goes last."""
    rest = (image.path, image.import_file, image.run, image.drill, image.verification)
    return *rest, image.removing


def _begun(outlook: Outlook, site: Site, warnings: list[str], host: Host) -> list[ImagePath]:
    """Return the sets whose removal an earlier rotation of the repository had begun."""
    images = [one.image for one in outlook.catalog.passed_over if one.is_removed]
    begun: list[ImageSet] = []
    read = host.read_each(image.removing for image in images) if images else []
    for image, data in zip(images, read, strict=True):
        with contextlib.suppress(UnusableDocument):
            begun.append(ImageSet(image, decode(data if isinstance(data, bytes) else b""), 0.0))
    own = of_one(Catalog((*outlook.sets, *begun)), outlook.sets[0])
    found = []
    for one in begun:
        if one not in own or removable(one, site.machine, site.request.repository):
            continue
        if one.image.keep in outlook.catalog.entries:
            warnings.append(
                f"{one.image} is no backup any more, and what is left of it is kept: its removal "
                f"had begun, and {shown(one.image.keep)} is there"
            )
        else:
            found.append(one.image)
    return found
