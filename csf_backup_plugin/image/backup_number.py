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

    from csf_backup_plugin.hosts.protocol.host import Host
    from csf_backup_plugin.hosts.protocol.values import Machine
    from csf_backup_plugin.image.catalog import Catalog, ImageSet
    from csf_backup_plugin.image.path import ImagePath
    from csf_backup_plugin.repository.manifest import Manifest
    from csf_backup_plugin.repository.model import Repository


class Standing(NamedTuple):
    """Which repository it is, and its last backup's number, as far as they are known now.

    Attributes:
        identity: the repository's; a new one if no earlier one was found.
        number: the highest number of its backups so far.
        source: the newest image made here, if the manifest has no identity.
        doubts: reasons to doubt that this is one repository and always was the same one.
        is_new: whether no earlier identity was found.
        changes: what has changed since the repository got its identity; empty if nothing has.
    """

    identity: Identity
    number: int
    source: ImageSet | None
    is_new: bool
    changes: tuple[str, ...]
    doubts: tuple[str, ...] = ()

    @property
    def adopted(self) -> tuple[str, ...]:
        """The databases of `source`; they belong to the repository."""
        return tuple(self.source.receipt.databases) if self.source else ()

    def entry(self, image: ImagePath) -> Entry:
        """Return what the manifest is to record about the next backup, which makes `image`."""
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
        repository: the repository by its paths.
        recorded: what its manifest says; None if it has none.
        catalog: the images that may be its own.
        machine: what the host says of itself.
        host: the host; messages name it.

    Raises:
        WrongRepository: the manifest has no identity, and the receipts have several.
    """
    known, source = recorded.identity if recorded else None, None
    if known is None:
        known, source = _found_in_receipts(repository, catalog, machine, host)
    identity = known or Identity.new(machine, repository.master)
    # Unusable receipts may have the numbers that come next.
    unusable = catalog.unusable(identity.id, repository.master)
    number = max(recorded.number if recorded else 0, catalog.number(identity.id) + unusable)
    changes = identity.changes(machine, repository.master)
    doubts = () if source else tuple(_doubts(identity, repository, catalog, machine, host))
    by = (
        "a new id" if known is None else "named by a receipt" if source else "named by the manifest"
    )
    log.info("repository %s, %s; its last backup has the number %d", identity.id, by, number)
    return Standing(identity, number, source, known is None, changes, doubts)


def _doubts(
    identity: Identity, repository: Repository, catalog: Catalog, machine: Machine, host: Host
) -> Iterator[str]:
    """Yield doubts about the images in the directory; other ids count until one has this id."""
    groups = by_repository(catalog.sets)
    own = groups.get(Key(identity.id), [])
    if own and (other := made_elsewhere(own, machine, repository.master)):
        yield two_with_one_id(other)
    for sets in made_here(groups, machine, repository.master).values() if not own else ():
        one = highest(sets)
        yield (
            f"{one.image} is an image of a repository with another id that was at this path. If it "
            f"is this repository, and its manifest was lost, move {shown(repository.manifest)} "
            "away and take id and databases from that image: "
            + rebuild_command(repository.master, host.name, "-image-file", one.image.name)
        )


def _found_in_receipts(
    repository: Repository, catalog: Catalog, machine: Machine, host: Host
) -> tuple[Identity | None, ImageSet | None]:
    """Return the identity found in receipts, and the newest image that was made here.

    Images of what may be a copy give the databases, but no identity.
    """
    here = made_here(by_repository(catalog.sets), machine, repository.master)
    settled = [highest(sets) for key, sets in here.items() if key.place is None]
    if len(settled) > 1:
        images = [
            f"  {rebuild_command(repository.master, host.name, '-image-file', one.image.name)}"
            for one in settled
        ]
        raise WrongRepository(
            f"{shown(repository.manifest)} on {host.name} does not say which repository this is, "
            f"and one directory has images of {len(settled)} repositories that were at this path.",
            "Take the id of the right one from its newest image:\n" + "\n".join(images),
        )
    if settled:
        return settled[0].receipt.origin.identity(repository.master), settled[0]
    return None, highest([one for sets in here.values() for one in sets]) if here else None
