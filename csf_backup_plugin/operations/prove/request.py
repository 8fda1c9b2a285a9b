"""The options of a proof, checked before anything is touched."""

from __future__ import annotations

from dataclasses import dataclass

from csf_backup_plugin.errors import UsageError
from csf_backup_plugin.image.path import ImagePath
from csf_backup_plugin.names import shown
from csf_backup_plugin.operations.lock_wait import LOCK_WAIT


@dataclass(frozen=True)
class ProveRequest:
    """One proof of an image whose csf was killed.

    Attributes:
        image: the image.
        wait: how long to wait for the repository's lock, in seconds. As long as osbackup still
            writes the image, it holds the lock.
    """

    image: ImagePath
    wait: float = LOCK_WAIT

    @classmethod
    def parse(cls, image: str, *, wait: float = LOCK_WAIT) -> ProveRequest:
        """Parse what the user wrote.

        Raises:
            UsageError: `image` is not HOST:PATH, or is ``latest``, whose image has a receipt
                already.
        """
        named = ImagePath.parse(image)
        if named.is_latest:
            raise UsageError(
                f"{named} means the newest verified image of {shown(named.directory)}, which "
                "has its receipt.",
                "Name the image that has none.",
            )
        return cls(named, wait)
