"""The removal of sets: the receipt goes first, so that no half set is a backup."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, NamedTuple

from csf_backup_plugin.hosts.protocol import Withdrawal
from csf_backup_plugin.image.catalog import ImageSet
from csf_backup_plugin.image.receipt_format import decode
from csf_backup_plugin.image.sealed_json import UnusableDocument
from csf_backup_plugin.names import listed, shown
from csf_backup_plugin.operations.rotate import plan
from csf_backup_plugin.operations.rotate.freeze import reasons_to_freeze
from csf_backup_plugin.system_errors import reason

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from csf_backup_plugin.hosts.protocol import Host
    from csf_backup_plugin.image.catalog import Catalog
    from csf_backup_plugin.image.path import ImagePath
    from csf_backup_plugin.operations.rotate.freeze import Witness
    from csf_backup_plugin.operations.rotate.plan import Decision


class Removal(NamedTuple):
    """What was decided of the repository's sets, and done.

    Attributes:
        decisions: what the plan says of each set that it may remove.
        others: sets of the repository that it may not remove, each with why.
        removed: those that were removed.
        finished: those whose removal an earlier run had begun.
        withheld: why nothing was removed, a sentence part each; empty if all that was to go has.
        warnings: what the user should know besides.
        told: what became of what killed copies had left, a sentence part each.
    """

    decisions: Sequence[Decision] = ()
    others: Sequence[tuple[ImagePath, str]] = ()
    removed: Sequence[ImagePath] = ()
    finished: Sequence[ImagePath] = ()
    withheld: Sequence[str] = ()
    warnings: Sequence[str] = ()
    told: Sequence[str] = ()


def reasons_to_withhold(
    decisions: Sequence[Decision], witnesses: Collection[Witness], now: str, what: str
) -> list[str]:
    """Return why nothing may be deleted; empty if deletions may go on.

    Args:
        decisions: what the plan says of each set.
        witnesses: all that is known of the repository's sets.
        now: the host's clock, in ISO 8601 and UTC.
        what: what the sets are called that may not go in great number.
    """
    withheld = reasons_to_freeze(witnesses, now)
    if fuse := plan.blows_fuse(decisions):
        names = listed([one.image.name for one in fuse])
        withheld.append(f"{len(fuse):,} {what} would go, which is more than {plan.FUSE}: {names}")
    return withheld


def read_begun(catalog: Catalog, host: Host) -> list[ImageSet]:
    """Return the sets whose removal an earlier run had begun, as far as they can be told."""
    images = [one.image for one in catalog.passed_over if one.is_removed]
    begun: list[ImageSet] = []
    read = host.read_each(image.removing for image in images) if images else []
    for image, data in zip(images, read, strict=True):
        with contextlib.suppress(UnusableDocument):
            begun.append(ImageSet(image, decode(data if isinstance(data, bytes) else b""), 0.0))
    return begun


def carry_out(planned: Removal, begun: Sequence[ImageSet], catalog: Catalog, host: Host) -> Removal:
    """Remove what is to go, and what is left of what an earlier run had begun to remove.

    Args:
        planned: what is to go.
        begun: sets that are no backups any more.
        catalog: what there is.
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
    """Return the sets of which what is left may go."""
    found = []
    for one in begun:
        if one.image.keep in catalog.entries:
            warnings.append(
                f"{one.image} is no backup any more, and what is left of it is kept: its removal "
                f"had begun, and {shown(one.image.keep)} is there"
            )
        else:
            found.append(one.image)
    return found


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
    return *rest, image.copying, image.removing  # a copy may have been killed as it was made
