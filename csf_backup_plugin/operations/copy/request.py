"""The options of a copy, checked before anything is touched."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from csf_backup_plugin.image.path import ImagePath, parse_directory
from csf_backup_plugin.operations.lock_wait import LOCK_WAIT
from csf_backup_plugin.operations.request import parse_repository

if TYPE_CHECKING:
    from csf_backup_plugin.repository.model import Repository


@dataclass(frozen=True)
class CopyRequest:
    """One copy of one set.

    Attributes:
        image: the image of the set; ``latest`` for the newest of its directory.
        to: ``latest`` of the directory that the copy goes to.
        repository: the repository that the image must belong to; None for any.
        keep: for how many days copies are kept there; None for all copies.
        dry_run: check everything, and create nothing.
        wait: how long to wait for a copy that is being made already, in seconds.
        timeout: how long the copy may take, in seconds; None for `default_timeout`.
        accepted: whether -yes was given, which accepts suspicious sets and many deletions.
    """

    image: ImagePath
    to: ImagePath
    repository: Repository | None = None
    keep: int | None = None
    dry_run: bool = False
    wait: float = LOCK_WAIT
    timeout: float | None = None
    accepted: bool = False

    @classmethod
    def parse(
        cls,
        image: str,
        to: str,
        *,
        master: str | None = None,
        keep: int | None = None,
        dry_run: bool = False,
        wait: float = LOCK_WAIT,
        timeout: float | None = None,
        accepted: bool = False,
    ) -> CopyRequest:
        """Parse what the user wrote.

        Raises:
            UsageError: an argument has a wrong value.
        """
        return cls(
            ImagePath.parse(image),
            parse_directory(to, "-to"),
            None if master is None else parse_repository(master),
            keep,
            dry_run,
            wait,
            timeout,
            accepted,
        )
