"""The repository that a command's image must belong to, as far as its manifest is known."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from csf_backup_plugin.errors import WrongRepository
from csf_backup_plugin.hosts.postponed import postponed
from csf_backup_plugin.names import shown
from csf_backup_plugin.repository import manifest
from csf_backup_plugin.repository.location import locate_lost

if TYPE_CHECKING:
    from csf_backup_plugin.hosts.protocol.host import Host
    from csf_backup_plugin.image.path import ImagePath
    from csf_backup_plugin.image.receipt import Receipt
    from csf_backup_plugin.repository.identity import Identity
    from csf_backup_plugin.repository.model import Repository


class Wanted(NamedTuple):
    """The repository whose images are looked for.

    Attributes:
        repository: the repository, with its directory's path resolved.
        identity: its identity, from its manifest; None if that has none.
        number: the number of its last backup, from its manifest; 0 if that has none.
    """

    repository: Repository
    identity: Identity | None
    number: int = 0

    @property
    def master(self) -> str:
        """The master database's path."""
        return self.repository.master


def wanted_at(repository: Repository, host: Host) -> Wanted:
    """Return what identifies a repository's images; the repository itself may be lost.

    Args:
        repository: as the user named it.
        host: where it is, or was.
    """
    (at,), read = host.together(
        lambda: host.look([repository.directory]),
        postponed(lambda: host.read(repository.manifest)),
    )
    found = locate_lost(repository, at)
    data = read() if found == repository else host.read(found.manifest)
    recorded = manifest.salvage(data or b"")
    return Wanted(found, recorded.identity, recorded.number)


def check_image_of(wanted: Wanted | None, image: ImagePath, receipt: Receipt) -> None:
    """Refuse an image that belongs to another repository than the wanted one.

    Raises:
        WrongRepository: the ids differ, or, if an id is missing, the paths.
    """
    if wanted is not None and not is_image_of(wanted, receipt):
        own = wanted.identity.id if wanted.identity else None
        raise WrongRepository(
            f"{image} is an image of {shown(receipt.master)}, {_of(receipt.origin.id)}; "
            f"{shown(wanted.master)} is another repository, {_of(own)}.",
            "Name an image of that repository, or the -database that this image is of.",
        )


def is_image_of(wanted: Wanted, receipt: Receipt) -> bool:
    """Tell whether an image belongs to the wanted repository: by the ids, or else by the paths.

    Args:
        wanted: the repository.
        receipt: the image's receipt.
    """
    own, its = wanted.identity.id if wanted.identity else None, receipt.origin.id
    return own == its if own and its else wanted.master == receipt.master


def _of(identity: str | None) -> str:
    return f"repository {identity}" if identity else "whose id is not known"
