"""Which repository a backup is of, and which number it has."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from csf_backup_plugin.advised_commands import rebuild_command
from csf_backup_plugin.errors import WrongRepository
from csf_backup_plugin.image.by_repository import (
    Key,
    by_repository,
    highest,
    made_elsewhere,
    made_here,
)
from csf_backup_plugin.image.latest import two_with_one_id
from csf_backup_plugin.log import log
from csf_backup_plugin.names import shown
from csf_backup_plugin.repository.identity import Identity
from csf_backup_plugin.repository.manifest_store import Entry

if TYPE_CHECKING:
    from collections.abc import Iterator

    from csf_backup_plugin.hosts.protocol import Host, Machine
    from csf_backup_plugin.image.catalog import Catalog, ImageSet
    from csf_backup_plugin.image.path import ImagePath
    from csf_backup_plugin.repository.manifest import Manifest
    from csf_backup_plugin.repository.model import Repository


class Standing(NamedTuple):
    """What a repository is at the moment.

    Attributes:
        identity: its own; one that was made just now if nothing told an earlier one.
        number: the highest number of a backup of it so far.
        source: the newest image made here, if the manifest does not tell the identity.
        doubts: what speaks against it that this is one repository, and always was the same.
        is_new: whether nothing told an earlier identity.
        changes: what is not as it was when the repository got its identity; none if all is.
    """

    identity: Identity
    number: int
    source: ImageSet | None
    is_new: bool
    changes: tuple[str, ...]
    doubts: tuple[str, ...] = ()

    @property
    def adopted(self) -> tuple[str, ...]:
        """The databases of `source`: they belong to the repository."""
        return tuple(self.source.receipt.databases) if self.source else ()

    def entry(self, image: ImagePath) -> Entry:
        """Return what the manifest is to record of the next backup, which makes `image`."""
        return Entry(self.identity, self.number + 1, image.path, self.adopted)


def standing(
    repository: Repository,
    recorded: Manifest | None,
    catalog: Catalog,
    machine: Machine,
    host: Host,
) -> Standing:
    """Find out which repository this is: by its manifest, else by receipts made here.

    Args:
        repository: where it is.
        recorded: what its manifest says; None where there is none.
        catalog: the images that may be its own.
        machine: the host.
        host: the same; messages name it.

    Raises:
        WrongRepository: the manifest does not tell, and receipts tell several.
    """
    told, source = recorded.identity if recorded else None, None
    if told is None:
        told, source = _told_by_receipts(repository, catalog, machine, host)
    identity = told or Identity.new(machine, repository.master)
    # Receipts that cannot be used may have the numbers that come next.
    unusable = catalog.unusable(identity.id, repository.master)
    number = max(recorded.number if recorded else 0, catalog.number(identity.id) + unusable)
    changes = identity.changes(machine, repository.master)
    doubts = () if source else tuple(_doubts(identity, repository, catalog, machine, host))
    by = "a new id" if told is None else "told by a receipt" if source else "told by the manifest"
    log.info("repository %s, %s; its last backup has the number %d", identity.id, by, number)
    return Standing(identity, number, source, told is None, changes, doubts)


def _doubts(
    identity: Identity, repository: Repository, catalog: Catalog, machine: Machine, host: Host
) -> Iterator[str]:
    """Yield what is wrong with the images beside; of other ids only until there is one of this."""
    groups = by_repository(catalog.sets)
    own = groups.get(Key(identity.id), [])
    if own and (other := made_elsewhere(own, machine, repository.master)):
        yield two_with_one_id(other)
    for sets in made_here(groups, machine, repository.master).values() if not own else ():
        one = highest(sets)
        yield (
            f"{one.image} is of a repository with another id that was at this path. If it is this "
            f"one, and its manifest was lost, move {shown(repository.manifest)} away and take id "
            "and databases from that image: "
            + rebuild_command(repository.master, host.name, "-image-file", one.image.name)
        )


def _told_by_receipts(
    repository: Repository, catalog: Catalog, machine: Machine, host: Host
) -> tuple[Identity | None, ImageSet | None]:
    """Return the identity that receipts tell, and the newest image that was made here.

    Images of what may be a copy tell the databases, but no identity.
    """
    here = made_here(by_repository(catalog.sets), machine, repository.master)
    settled = [highest(sets) for key, sets in here.items() if key.place is None]
    if len(settled) > 1:
        images = [
            f"  {rebuild_command(repository.master, host.name, '-image-file', one.image.name)}"
            for one in settled
        ]
        raise WrongRepository(
            f"{shown(repository.manifest)} on {host.name} does not tell which repository this is, "
            f"and images of {len(settled)} that were at this path lie in one directory.",
            "Take the right one's id, from its newest image:\n" + "\n".join(images),
        )
    if settled:
        return settled[0].receipt.origin.identity(repository.master), settled[0]
    return None, highest([one for sets in here.values() for one in sets]) if here else None
