"""Remove older copies in a directory, by the rules for dated sets."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING

from csf_backup_plugin.advised_commands import drill_command
from csf_backup_plugin.errors import Withheld
from csf_backup_plugin.image.by_repository import by_repository
from csf_backup_plugin.image.catalog import ImageSet, read_catalog, warnings_about
from csf_backup_plugin.image.place import DATED, beside_places
from csf_backup_plugin.names import shown
from csf_backup_plugin.operations.copy.abandoned import abandoned, remove_abandoned
from csf_backup_plugin.operations.rotate import plan
from csf_backup_plugin.operations.rotate.freeze import reasons_to_freeze
from csf_backup_plugin.operations.rotate.history import witnesses
from csf_backup_plugin.operations.rotate.plan import Decision, PlacedSet, Retention
from csf_backup_plugin.operations.rotate.set_removal import (
    Removal,
    carry_out,
    read_begun,
    reasons_to_withhold,
)
from csf_backup_plugin.system_errors import in_words, translated

if TYPE_CHECKING:
    from collections.abc import Sequence

    from csf_backup_plugin.hosts.protocol.host import Host
    from csf_backup_plugin.image.catalog import Catalog
    from csf_backup_plugin.image.path import ImagePath
    from csf_backup_plugin.operations.copy.original import Original
    from csf_backup_plugin.operations.copy.request import CopyRequest
    from csf_backup_plugin.operations.rotate.freeze import Witness


def doubts(request: CopyRequest, original: Original, source: Host) -> list[str]:
    """Return why a rotation would delete nothing now: old copies may be the only good ones.

    Args:
        request: says whether copies may be deleted, and whether the user accepts suspicions.
        original: the set to copy.
        source: the host of the set.
    """
    if request.keep is None or request.accepted:
        return []
    beside = beside_places(original.image)
    with translated(source.name):
        try:
            catalog = read_catalog(beside, source)
        except OSError as error:
            where = f"{beside.host}:{shown(beside.directory)}"
            return [f"whether the originals are sound is not known: {where}: {in_words(error)}"]
        groups = by_repository(catalog.sets).values()
        is_there = (group for group in groups if original.image in [one.image for one in group])
        known = witnesses(next(is_there, []), catalog, source)
    return reasons_to_freeze(known, original.machine.now)


def remove_older(
    request: CopyRequest, newest: ImageSet, now: str, host: Host, doubted: Sequence[str] = ()
) -> Removal:
    """Remove the copies that -keep does not keep; in a dry run, only choose them.

    Args:
        request: says for how many days copies are kept.
        newest: the copy of this run, even in a dry run; only copies of its repository are removed.
        now: the host's clock, in ISO 8601 and UTC.
        host: where the copies are.
        doubted: as `doubts` returns it.
    """
    if request.keep is None:
        return Removal()
    catalog = read_catalog(newest.image, host)
    sets = _same_copies(newest, catalog.sets)
    if not request.dry_run and newest.image not in [one.image for one in sets]:
        unread = f"nothing was removed, since {newest.image} was not found"
        return Removal(warnings=[unread])
    rest = [one for one in sets if one.image != newest.image]
    copies = [*rest, newest]
    known = witnesses(copies, catalog, host)
    placed = [_placed(one, of, catalog) for one, of in zip(copies, known, strict=True)]
    decisions = [
        Decision(one, goes=False, why="copied by this run")
        if goes and one.image == newest.image
        else Decision(one, goes, why)
        for one, goes, why in plan.decide(placed, Retention(copies=request.keep))
    ]
    withheld: list[str] = []
    if not request.accepted:
        withheld = [*reasons_to_withhold(decisions, known, now, "copies"), *doubted]
    planned, unfinished = Removal(decisions, withheld=withheld), abandoned(newest, catalog, host)
    if withheld or request.dry_run:
        return planned._replace(warnings=warnings_about(one for one, _ in unfinished))
    begun = _same_copies(newest, read_begun(catalog, host))
    done = carry_out(planned, begun, catalog, host)
    removed, stay = remove_abandoned(unfinished, host)
    return done._replace(also_done=removed, warnings=[*done.warnings, *stay])


def withheld(request: CopyRequest, image: ImagePath, removal: Removal) -> Withheld | None:
    """Return why deletions were withheld; None if they were not.

    Args:
        request: the command's validated options.
        image: the copy of this run.
        removal: what was decided about all copies.
    """
    if not removal.withheld:
        return None
    reasons = "\n".join(f"  {reason}" for reason in removal.withheld)
    made = "Dry run: nothing would be" if request.dry_run else f"{image} is there. Nothing was"
    return Withheld(
        f"{made} deleted:\n{reasons}",
        f"Look into it; {drill_command(image.name)} tries to restore the newest one. If all is as "
        "it should be, run the same command once with -yes.",
        {"withheld": list(removal.withheld)},
        left="All older copies are as they were.",
    )


def _same_copies(newest: ImageSet, sets: Sequence[ImageSet]) -> list[ImageSet]:
    """Return the copies of the same repository in the same directory, from among sets."""
    copies = [
        one for one in sets if one.receipt.copied and one.image.directory == newest.image.directory
    ]
    groups = by_repository([*copies, newest]).values()
    found = next((group for group in groups if newest in group), [newest])
    return [one for one in copies if one in found]


def _placed(one: ImageSet, witness: Witness, catalog: Catalog) -> PlacedSet:
    """Return a copy as the plan needs it: a dated set of the day of its backup."""
    started = one.receipt.started
    return PlacedSet(
        one.image,
        witness.number,
        started,
        datetime.datetime.fromisoformat(started).date(),
        DATED,
        bool(witness.drilled and witness.drilled.is_sound),
        one.image.keep in catalog.entries,
    )
