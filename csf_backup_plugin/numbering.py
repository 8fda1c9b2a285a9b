"""Which repository a backup is of, and which number it has."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from csf_backup_plugin.advice import rebuild_command
from csf_backup_plugin.errors import WrongRepository
from csf_backup_plugin.grouping import by_repository, highest, made_here
from csf_backup_plugin.identity import Identity
from csf_backup_plugin.names import shown

if TYPE_CHECKING:
    from csf_backup_plugin.catalog import Catalog, ImageSet
    from csf_backup_plugin.hosts.protocol import Host, Machine
    from csf_backup_plugin.manifest import Manifest
    from csf_backup_plugin.repository import Repository


class Standing(NamedTuple):
    """What a repository is at the moment.

    Attributes:
        identity: its own; one that was made just now if nothing told an earlier one.
        number: the highest number of a backup of it so far.
        source: the newest image made here, if the manifest does not tell the identity.
        is_new: whether nothing told an earlier identity.
        changes: what is not as it was when the repository got its identity; none if all is.
    """

    identity: Identity
    number: int
    source: ImageSet | None
    is_new: bool
    changes: tuple[str, ...]

    @property
    def adopted(self) -> tuple[str, ...]:
        """The databases of `source`: they belong to the repository."""
        return tuple(self.source.proven.databases) if self.source else ()


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
    number = recorded.number if recorded else 0
    if recorded and recorded.identity:
        identity, source, is_new = recorded.identity, None, False
    else:
        told, source = _told_by_receipts(repository, catalog, machine, host)
        is_new = told is None
        identity = told or Identity.new(machine, repository.master)
        # Receipts that cannot be used may have the numbers that come next.
        number = max(number, catalog.number(identity.id) + catalog.unusable(repository.master))
    number = max(number, catalog.number(identity.id))
    changes = identity.changes(machine, repository.master)
    return Standing(identity, number, source, is_new, changes)


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
            f"  {rebuild_command(repository, host.name, '-image-file', one.image.name)}"
            for one in settled
        ]
        raise WrongRepository(
            f"{shown(repository.manifest)} on {host.name} does not tell which repository this is, "
            f"and images of {len(settled)} that were at this path lie in one directory.",
            "Take the right one's id, from its newest image:\n" + "\n".join(images),
        )
    if settled:
        return settled[0].proven.origin.identity(repository.master), settled[0]
    return None, highest([one for sets in here.values() for one in sets]) if here else None
