"""What there is of a repository's images in the image directories, and how they were checked."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, NamedTuple

from csf_backup_plugin.hosts.postponed import postponed
from csf_backup_plugin.image.by_repository import Key, by_repository, place_key
from csf_backup_plugin.image.catalog import Catalog, read_catalogs
from csf_backup_plugin.image.last_checks import read_last_checks
from csf_backup_plugin.operations.rotate.freeze import Witness
from csf_backup_plugin.operations.rotate.plan import PlacedSet
from csf_backup_plugin.repository.identity import same_machine
from csf_backup_plugin.system_errors import in_words, is_about, reason

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from csf_backup_plugin.hosts.protocol import Host, Machine
    from csf_backup_plugin.image.catalog import ImageSet
    from csf_backup_plugin.image.path import ImagePath
    from csf_backup_plugin.repository.identity import Identity
    from csf_backup_plugin.repository.model import Repository


class Listed(NamedTuple):
    """What could be read of the image directories.

    Attributes:
        catalog: of those that could be listed.
        problems: why the others could not, by their ``latest``.
    """

    catalog: Catalog
    problems: Mapping[ImagePath, str]


def read_all(tops: Sequence[ImagePath], host: Host) -> Listed:
    """Read every receipt in the image directories and their places; one may fail by itself.

    Args:
        tops: ``latest`` of each directory.
        host: the host to work on.
    """
    found = host.together(
        *(postponed(functools.partial(read_catalogs, [top], host)) for top in tops)
    )
    catalogs, problems = [], {}
    for top, read in zip(tops, found, strict=True):
        try:
            catalogs.append(read())
        except OSError as error:
            is_itself = is_about(error, top.directory)
            why = reason(error) if is_itself else in_words(error)  # with the place that it is about
            problems[top] = f"cannot be read: {why}"
    return Listed(
        Catalog(
            tuple(one for catalog in catalogs for one in catalog.sets),
            tuple(one for catalog in catalogs for one in catalog.passed_over),
            {path: at for catalog in catalogs for path, at in catalog.entries.items()},
        ),
        problems,
    )


def of_one(catalog: Catalog, newest: ImageSet) -> list[ImageSet]:
    """Return the sets that are of the same repository as one, that one included, and no copies."""
    groups = by_repository(one for one in catalog.sets if not one.receipt.copied).values()
    return next((sets for sets in groups if newest in sets), [newest])


def own_sets(
    catalog: Catalog, identity: Identity | None, machine: Machine, repository: Repository
) -> list[ImageSet]:
    """Return a repository's sets, as far as its manifest tells its id, or else their receipts.

    A copy of the repository has the same id; its sets are not among them. Nor are copies of sets.
    """
    sets = [one for one in catalog.sets if not one.receipt.copied]
    if identity is None:
        return [one for one in sets if _is_made_here(one, machine, repository)]
    groups = by_repository(sets)
    at_home = identity.moved(machine, repository.master)
    own = groups.get(place_key(at_home), [])
    return [*groups.get(Key(identity.id), []), *own] if at_home == identity else own


def witnesses(sets: Sequence[ImageSet], catalog: Catalog, host: Host) -> list[Witness]:
    """Return what a freeze has to know of each set; the records of all are read at once.

    Args:
        sets: of one repository, each with a number.
        catalog: what stands beside them.
        host: the host to work on.
    """
    return [
        Witness(
            one.image,
            one.receipt.origin.number or 0,
            one.receipt.size,
            frozenset(one.receipt.names),
            one.receipt.suspicions,
            one.receipt.accepted,
            *checks,
        )
        for one, checks in zip(sets, read_last_checks(sets, catalog, host), strict=True)
    ]


def removable(one: ImageSet, machine: Machine, repository: Repository) -> str:
    """Return why a set is no rotation's of this repository to remove; empty if it is.

    A receipt tells where the set was made. A copy that somebody has put elsewhere is his.
    """
    receipt = one.receipt
    if receipt.placement is None:
        return "no rotation has made it"
    if receipt.image.path != one.image.path:
        return f"it was made as {receipt.image}, and is a copy or was moved"
    if not _is_made_here(one, machine, repository):
        return "it was made of this repository at another path, or on another machine"
    return ""


def _is_made_here(one: ImageSet, machine: Machine, repository: Repository) -> bool:
    origin = one.receipt.origin
    is_here = same_machine(origin.machine_id, origin.machine, machine)
    return is_here and one.receipt.master == repository.master


def placed(one: ImageSet, witness: Witness, catalog: Catalog) -> PlacedSet:
    """Return a set for the plan of a rotation; its receipt has a placement."""
    placement = one.receipt.placement
    assert placement
    return PlacedSet(
        one.image,
        witness.number,
        one.receipt.started,
        placement.slot,
        placement.place,
        bool(witness.drilled and witness.drilled.is_sound),
        one.image.keep in catalog.entries,
    )
