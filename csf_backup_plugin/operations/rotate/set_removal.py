"""The removal of sets: the receipt goes first, so that a partial set is never a backup."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, NamedTuple

from csf_backup_plugin.hosts.protocol.steps import Withdrawal
from csf_backup_plugin.image.catalog import ImageSet
from csf_backup_plugin.image.receipt_format import decode
from csf_backup_plugin.image.sealed_json import UnusableDocument
from csf_backup_plugin.names import listed, shown
from csf_backup_plugin.operations.rotate import plan
from csf_backup_plugin.operations.rotate.freeze import reasons_to_freeze
from csf_backup_plugin.system_errors import reason

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from csf_backup_plugin.hosts.protocol.host import Host
    from csf_backup_plugin.image.catalog import Catalog
    from csf_backup_plugin.image.path import ImagePath
    from csf_backup_plugin.operations.rotate.freeze import Witness
    from csf_backup_plugin.operations.rotate.plan import Decision


class Removal(NamedTuple):
    """What was decided about the repository's sets, and done.

    Attributes:
        decisions: the plan's decision about each set that it may remove.
        others: the repository's sets that may not be removed, each with the reason.
        removed: the sets that were removed.
        finished: the sets whose removal an earlier run had begun and this one has ended.
        withheld: why nothing was removed, each a part of a sentence; empty if deletions were
            allowed.
        warnings: what else the user should know.
        also_done: what was done with leftovers of killed copies; each is a part of a sentence.
    """

    decisions: Sequence[Decision] = ()
    others: Sequence[tuple[ImagePath, str]] = ()
    removed: Sequence[ImagePath] = ()
    finished: Sequence[ImagePath] = ()
    withheld: Sequence[str] = ()
    warnings: Sequence[str] = ()
    also_done: Sequence[str] = ()


def reasons_to_withhold(
    decisions: Sequence[Decision], witnesses: Collection[Witness], now: str, what: str
) -> list[str]:
    """Return why nothing may be deleted; empty if sets may be deleted.

    Args:
        decisions: the plan's decision about each set.
        witnesses: what is known about the repository's sets.
        now: the host's clock, in ISO 8601 and UTC.
        what: what the message calls the sets, such as "dated sets".
    """
    withheld = reasons_to_freeze(witnesses, now)
    if fuse := plan.blows_fuse(decisions):
        names = listed([one.image.name for one in fuse])
        withheld.append(
            f"{len(fuse):,} {what} would be removed, which is more than {plan.FUSE}: {names}"
        )
    return withheld


def read_begun(catalog: Catalog, host: Host) -> list[ImageSet]:
    """Return the sets whose removal an earlier run had begun, if their receipts can be read."""
    images = [one.image for one in catalog.skipped if one.is_removed]
    begun: list[ImageSet] = []
    read = host.read_each(image.removing for image in images) if images else []
    for image, data in zip(images, read, strict=True):
        with contextlib.suppress(UnusableDocument):
            begun.append(ImageSet(image, decode(data if isinstance(data, bytes) else b""), 0.0))
    return begun


def carry_out(planned: Removal, begun: Sequence[ImageSet], catalog: Catalog, host: Host) -> Removal:
    """Remove the planned sets, and the rest of those that an earlier run had begun to remove.

    Args:
        planned: the decisions.
        begun: the sets whose removal had begun; they are no longer backups.
        catalog: the images in the image directories.
        host: the host to work on.
    """
    goes = [one.one.image for one in planned.decisions if one.goes]
    warnings: list[str] = []
    rests = _not_kept(begun, catalog, warnings)
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
    stay = _rest_removed([*rests, *removed], warnings, host)
    finished = [image for image in rests if image not in stay]
    done = [image for image in removed if image not in stay]
    return planned._replace(removed=done, finished=finished, warnings=warnings)


def _not_kept(begun: Sequence[ImageSet], catalog: Catalog, warnings: list[str]) -> list[ImagePath]:
    """Return the sets whose rest may be removed; warn of the others."""
    found = []
    for one in begun:
        if one.image.keep in catalog.entries:
            warnings.append(
                f"{one.image} is not a backup any more, and what is left of it is kept: its "
                f"removal had begun, and {shown(one.image.keep)} is there"
            )
        else:
            found.append(one.image)
    return found


def _rest_removed(images: Sequence[ImagePath], warnings: list[str], host: Host) -> list[ImagePath]:
    """Remove the rest of sets, in one exchange if possible; return those not wholly removed."""
    with contextlib.suppress(OSError):
        host.remove_trees([path for image in images for path in _rest(image)], mine=False)
        return []
    stay = []
    for image in images:
        try:
            host.remove_trees(_rest(image), mine=False)
        except OSError as error:
            why = reason(error)
            warnings.append(f"{image} is not a backup any more, and is not all removed: {why}")
            stay.append(image)
    return stay


def _rest(image: ImagePath) -> tuple[str, ...]:
    """Return the files of a set without a receipt; the mark of the removal is the last one."""
    rest = (image.path, image.import_file, image.run, image.drill, image.verification)
    return *rest, image.copying, image.removing  # a killed copy may have left its claim
