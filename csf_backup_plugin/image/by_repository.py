"""Group the images of a directory by repository; images of different ones are never mixed."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from csf_backup_plugin.hosts.protocol.values import Machine
    from csf_backup_plugin.image.catalog import ImageSet
    from csf_backup_plugin.repository.identity import Identity


class Key(NamedTuple):
    """What images of one repository have in common.

    Attributes:
        id: the repository's.
        place: machine-id, machine's name and path of what may be a copy; None for a repository at
            home.
    """

    id: str
    place: tuple[str, str, str] | None = None


Groups = dict[Key, list["ImageSet"]]


def by_repository(sets: Iterable[ImageSet]) -> Groups:
    """Return the images by repository; images without id or number are left out.

    An image that was made where a repository is at home now belongs to it, also if it was made
    before the move to that place was confirmed.
    """
    numbered = [
        (one, identity)
        for one in sets
        if one.receipt.origin.number is not None
        and (identity := one.receipt.origin.identity(one.receipt.master))
    ]
    settled_sets = [pair for pair in numbered if pair[0].receipt.origin.settled]
    by_number = sorted(settled_sets, key=lambda pair: pair[0].receipt.origin.number or 0)
    homes = {identity.id: place_key(identity) for _, identity in by_number}
    groups: Groups = {}
    for one, identity in numbered:
        place = place_key(identity)
        settled = one.receipt.origin.settled or homes.get(identity.id) == place
        groups.setdefault(Key(identity.id) if settled else place, []).append(one)
    return groups


def place_key(identity: Identity) -> Key:
    """Return the key of what may be a copy, as long as nobody has confirmed a move or a copy."""
    return Key(identity.id, (identity.machine_id, identity.machine, identity.master))


def highest(sets: Sequence[ImageSet]) -> ImageSet:
    """Return the image with the highest number; an original before its copies.

    Of copies that were made by hand, the one that has kept its name is returned.
    """
    return max(sets, key=_age)


def newest_first(sets: Iterable[ImageSet]) -> list[ImageSet]:
    """Return images by descending number; of the same number, the choice of `highest` is first."""
    return sorted(sets, key=_age, reverse=True)


def _age(one: ImageSet) -> tuple[int, bool, bool, str]:
    receipt = one.receipt
    kept_name = receipt.image.path == one.image.path
    return receipt.origin.number or 0, receipt.copied is None, kept_name, one.image.path


def made_here(groups: Mapping[Key, list[ImageSet]], machine: Machine, master: str) -> Groups:
    """Return the repositories whose newest image was made on a machine, at a path.

    A repository whose newest image was made elsewhere has moved there; another one may be here now.
    """
    return {key: sets for key, sets in groups.items() if _is_at(highest(sets), machine, master)}


def made_elsewhere(sets: Sequence[ImageSet], machine: Machine, master: str) -> ImageSet | None:
    """Return the newest image of one repository if it was made elsewhere, and older ones here.

    If the repository had moved here, its newest image would be from here. So two repositories have
    one id.
    """
    newest = highest(sets)
    if _is_at(newest, machine, master):
        return None
    return newest if any(_is_at(one, machine, master) for one in sets) else None


def twins(sets: Sequence[ImageSet]) -> list[ImageSet]:
    """Return the images that have the newest one's number and are not copies of it."""
    newest = highest(sets)
    return [
        one
        for one in sets
        if one.receipt.origin.number == newest.receipt.origin.number
        and not one.receipt.is_of_backup(newest.receipt)
    ]


def _is_at(one: ImageSet, machine: Machine, master: str) -> bool:
    identity = one.receipt.origin.identity(one.receipt.master)
    return identity is not None and identity.is_at(machine, master)
