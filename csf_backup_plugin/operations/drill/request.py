"""The options of a drill, checked before anything is touched."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from csf_backup_plugin.errors import UsageError
from csf_backup_plugin.image.path import ImagePath, parse_directory
from csf_backup_plugin.operations.request import parse_repository, parse_scratch

if TYPE_CHECKING:
    from csf_backup_plugin.repository.model import Repository


@dataclass(frozen=True)
class DrillRequest:
    """One drill of one image.

    Attributes:
        image: the image.
        directory: the directory on the image's host in which the scratch directory is created.
        repository: the repository that the image must belong to; None for any.
        is_one_of_many: whether other images are drilled, too. Then this image is drilled even if
            its backup began in the future.
    """

    image: ImagePath
    directory: str
    repository: Repository | None = None
    is_one_of_many: bool = False

    @classmethod
    def parse(cls, image: str, directory: str, master: str | None = None) -> DrillRequest:
        """Parse what the user wrote.

        Raises:
            UsageError: `image` is not HOST:PATH, or `directory` or `master` is not an absolute
                path.
        """
        named, repository = ImagePath.parse(image), master and parse_repository(master)
        return cls(named, parse_scratch(directory), repository or None)


@dataclass(frozen=True)
class LastGoodRequest:
    """Drills of a repository's images, from the newest to the oldest, until one is sound.

    Attributes:
        top: ``latest`` of the directory with the images.
        directory: as for `DrillRequest`.
        repository: the repository whose images are drilled.
    """

    top: ImagePath
    directory: str
    repository: Repository

    @classmethod
    def parse(cls, top: str, directory: str, master: str | None) -> LastGoodRequest:
        """Parse what the user wrote.

        Raises:
            UsageError: `top` is not HOST:DIR, no master database is named, or `directory` or
                `master` is not an absolute path.
        """
        if master is None:
            raise UsageError(
                "-last-good needs -database.",
                "Name the master database of the repository whose images are drilled.",
            )
        return cls(parse_directory(top), parse_scratch(directory), parse_repository(master))


def check_last_good(directory: str | None, *, last_good: bool) -> None:
    """Refuse a directory of images without -last-good, and -last-good without one.

    Raises:
        UsageError: only one of them was given.
    """
    if (directory is not None) != last_good:
        raise UsageError(
            "-image-dir and -last-good must be given together.",
            "Give both to find the last good image in a directory, or name one image with "
            "-image-file; HOST:DIR/latest is the newest.",
        )
