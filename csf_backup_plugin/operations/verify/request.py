"""The options to verify a whole directory, checked before anything is read."""

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
        older_than: read only images that were verified longer ago than this, in seconds; None to
            read all.
        budget: after this many seconds, no further image is begun; None for no limit.
        repository: the repository whose images are read; None for all.
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
        """Parse what the user wrote.

        Raises:
            UsageError: `directory` is not HOST:DIR, or `master` is not an absolute path.
        """
        repository = None if master is None else parse_repository(master)
        return cls(parse_directory(directory), older_than, budget, repository)


def check_one_image(older_than: float | None, budget: float | None) -> None:
    """Refuse options that are valid only with -image-dir.

    Raises:
        UsageError: -older-than or -budget was given.
    """
    if older_than is not None or budget is not None:
        raise UsageError(
            "-older-than and -budget need -image-dir.",
            "Give -image-dir HOST:DIR to verify every image of a directory in turn.",
        )
