"""The repository's images in the image directories, and how they were checked."""

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

    from csf_backup_plugin.hosts.protocol.host import Host
    from csf_backup_plugin.hosts.protocol.values import Machine
    from csf_backup_plugin.image.catalog import ImageSet
    from csf_backup_plugin.image.path import ImagePath
    from csf_backup_plugin.repository.identity import Identity
    from csf_backup_plugin.repository.model import Repository


class Listed(NamedTuple):
    """What could be read from the image directories.

    Attributes:
        catalog: the images in the directories that could be listed.
        problems: why the other directories could not be listed, by their ``latest``.
    """

    catalog: Catalog
    problems: Mapping[ImagePath, str]


def read_all(tops: Sequence[ImagePath], host: Host) -> Listed:
    """Read every receipt in the image directories and their places, even if some cannot be read.

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
            why = reason(error) if is_itself else in_words(error)  # names the place
            problems[top] = f"cannot be read: {why}"
    return Listed(
        Catalog(
            tuple(one for catalog in catalogs for one in catalog.sets),
            tuple(one for catalog in catalogs for one in catalog.skipped),
            {path: at for catalog in catalogs for path, at in catalog.entries.items()},
        ),
        problems,
    )


def of_one(catalog: Catalog, newest: ImageSet) -> list[ImageSet]:
    """Return all sets of the same repository as a given one, without copies."""
    groups = by_repository(one for one in catalog.sets if not one.receipt.copied).values()
    return next((sets for sets in groups if newest in sets), [newest])


def own_sets(
    catalog: Catalog, identity: Identity | None, machine: Machine, repository: Repository
) -> list[ImageSet]:
    """Return a repository's sets, by the id in its manifest, or else by path and machine.

    Sets of a copy of the repository, which has the same id, do not count, nor do copies of sets.
    """
    sets = [one for one in catalog.sets if not one.receipt.copied]
    if identity is None:
        return [one for one in sets if _is_made_here(one, machine, repository)]
    groups = by_repository(sets)
    at_home = identity.moved(machine, repository.master)
    own = groups.get(place_key(at_home), [])
    return [*groups.get(Key(identity.id), []), *own] if at_home == identity else own


def witnesses(sets: Sequence[ImageSet], catalog: Catalog, host: Host) -> list[Witness]:
    """Return the witness of each set, for the decision about a freeze; read all records at once.

    Args:
        sets: the sets of one repository, each with a number.
        catalog: the catalog that the sets are from.
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
    """Return why a rotation of this repository may not remove a set; empty if it may.

    A receipt names the path at which the set was made. At another path it is a copy or was moved by
    a user, and is never removed.
    """
    receipt = one.receipt
    if receipt.placement is None:
        return "no rotation made it"
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
    """Return a set as a rotation's plan needs it; its receipt must have a placement."""
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
