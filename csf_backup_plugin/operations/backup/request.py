"""The options of a backup, checked before anything is touched."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from csf_backup_plugin.errors import UnsafeImagePath
from csf_backup_plugin.image.path import ImagePath
from csf_backup_plugin.names import shown
from csf_backup_plugin.operations.lock_wait import LOCK_WAIT
from csf_backup_plugin.operations.quiet.request import AS_THERE, Quiescing
from csf_backup_plugin.operations.request import parse_repository

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from csf_backup_plugin.image.catalog import Catalog
    from csf_backup_plugin.image.receipt import Placement, Receipt
    from csf_backup_plugin.repository.manifest import Manifest
    from csf_backup_plugin.repository.model import Repository


class Turn(NamedTuple):
    """What a rotation adds to a backup.

    Attributes:
        placement: the image's place.
        catalog: the images in all image directories of the rotation.
        mounts: the expected mount point of each image directory.
        accepted: whether the user has accepted the suspicions.
        suspicions: returns the suspicions about a receipt; gets the receipt and the manifest.
    """

    placement: Placement
    catalog: Catalog
    mounts: Mapping[str, str]
    accepted: bool
    suspicions: Callable[[Receipt, Manifest | None], tuple[str, ...]]

    def completed(self, made: Receipt, recorded: Manifest | None) -> Receipt:
        """Return the receipt with the rotation's additions.

        Args:
            made: the receipt.
            recorded: what the repository's manifest says; None if there was none.
        """
        mounts = {**self.mounts, **made.origin.mounts}
        return made._replace(
            placement=self.placement,
            suspicions=self.suspicions(made, recorded),
            accepted=self.accepted,
            origin=made.origin._replace(mounts=mounts),
        )


@dataclass(frozen=True)
class BackupRequest:
    """One backup of one repository to one image.

    Attributes:
        repository: the repository to back up.
        image: the image to create.
        dry_run: check everything, and create nothing.
        wait: how long to wait for the repository's lock, in seconds.
        timeout: how long osbackup may take, in seconds; None for `default_timeout`.
        checksum: whether to take the image's SHA-256.
        require_mount: refuse an image's directory on the file system of ``/``.
        arrays: disks and mount points that are redundant arrays according to the user.
        accept_small: accept an image that is far smaller than its databases.
        quiescing: how to make the repository quiet for osbackup.
    """

    repository: Repository
    image: ImagePath
    dry_run: bool = False
    wait: float = LOCK_WAIT
    timeout: float | None = None
    checksum: bool = True
    require_mount: bool = False
    arrays: frozenset[str] = frozenset()
    accept_small: bool = False
    quiescing: Quiescing = AS_THERE

    @classmethod
    def parse(
        cls,
        master: str,
        image: str,
        *,
        dry_run: bool = False,
        wait: float = LOCK_WAIT,
        timeout: float | None = None,
        checksum: bool = True,
        require_mount: bool = False,
        arrays: str = "",
        accept_small: bool = False,
        quiescing: Quiescing = AS_THERE,
    ) -> BackupRequest:
        """Parse what the user wrote; the names in `arrays` are separated by spaces.

        Raises:
            UsageError: `master` is not an absolute path, or `image` is not HOST:PATH.
            UnsafeImagePath: the image's name is reserved for ``latest``.
        """
        repository, made = parse_repository(master), ImagePath.parse(image)
        if made.is_latest:
            raise UnsafeImagePath(
                f"{made} means the newest verified image of {shown(made.directory)}.",
                "Give the new image another name.",
            )
        known = frozenset(arrays.split())
        return cls(
            repository,
            made,
            dry_run,
            wait,
            timeout,
            checksum,
            require_mount,
            known,
            accept_small,
            quiescing,
        )
