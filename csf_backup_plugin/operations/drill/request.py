"""What a drill is asked to do, checked before anything is touched."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from csf_backup_plugin.errors import UsageError
from csf_backup_plugin.image.path import ImagePath
from csf_backup_plugin.names import absolute, shown
from csf_backup_plugin.operations.request import parse_repository

if TYPE_CHECKING:
    from csf_backup_plugin.repository.model import Repository


@dataclass(frozen=True)
class DrillRequest:
    """One drill: an image restored for trial.

    Attributes:
        image: which.
        directory: where a scratch directory of the drill's own is made, on the image's host.
        repository: whose image it is to be; None for any's.
    """

    image: ImagePath
    directory: str
    repository: Repository | None = None

    @classmethod
    def parse(cls, image: str, directory: str, master: str | None = None) -> DrillRequest:
        """Make a request of what the user wrote.

        Raises:
            UsageError: `image` is not HOST:PATH, or `directory` or `master` no absolute path.
        """
        named, repository = ImagePath.parse(image), master and parse_repository(master)
        try:
            scratch = absolute(directory.rstrip("/") or directory)
            return cls(named, scratch, repository or None)
        except ValueError as error:
            raise UsageError(
                f"-scratch-dir {shown(directory)!r} {error}.",
                "Give -scratch-dir as an absolute path other than /, such as /var/tmp.",
            ) from None
