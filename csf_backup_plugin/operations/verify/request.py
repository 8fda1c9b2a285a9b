"""What a verification of a whole directory is asked of, checked before anything is looked at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from csf_backup_plugin.errors import UsageError
from csf_backup_plugin.image.path import parse_directory
from csf_backup_plugin.operations.request import parse_repository

if TYPE_CHECKING:
    from csf_backup_plugin.image.path import ImagePath
    from csf_backup_plugin.repository.model import Repository


@dataclass(frozen=True)
class VerifyAllRequest:
    """One verification of the images of a directory and of its places.

    Attributes:
        top: ``latest`` of the directory.
        older_than: how long ago an image was verified last that is read again, in seconds; None to
            read all.
        budget: no further image is begun after so many seconds; None for no limit.
        repository: whose images are read; None for any's.
    """

    top: ImagePath
    older_than: float | None = None
    budget: float | None = None
    repository: Repository | None = None

    @classmethod
    def parse(
        cls,
        directory: str,
        master: str | None = None,
        older_than: float | None = None,
        budget: float | None = None,
    ) -> VerifyAllRequest:
        """Make a request of what the user wrote.

        Raises:
            UsageError: `directory` is not HOST:DIR, or `master` is no absolute path.
        """
        repository = None if master is None else parse_repository(master)
        return cls(parse_directory(directory), older_than, budget, repository)


def check_one_image(older_than: float | None, budget: float | None) -> None:
    """Refuse what only makes sense for all images of a directory.

    Raises:
        UsageError: it was given.
    """
    if older_than is not None or budget is not None:
        raise UsageError(
            "-older-than and -budget go with -image-dir.",
            "Give -image-dir HOST:DIR to verify every image of a directory in turn.",
        )
