"""What a status is asked of, checked before anything is looked at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from csf_backup_plugin.image.path import parse_directory
from csf_backup_plugin.operations.request import parse_database

if TYPE_CHECKING:
    from collections.abc import Sequence

    from csf_backup_plugin.image.path import ImagePath
    from csf_backup_plugin.repository.model import Repository


@dataclass(frozen=True)
class StatusRequest:
    """What a status is asked of.

    Attributes:
        tops: ``latest`` of each image directory.
        databases: host and repository of each that must have images.
        max_age: how old the newest set may be, in seconds; None for what the promise says.
        max_drill_age: likewise the last good drill; None likewise, 0 for any age.
    """

    tops: tuple[ImagePath, ...]
    databases: tuple[tuple[str, Repository], ...] = ()
    max_age: float | None = None
    max_drill_age: float | None = None

    @property
    def hosts(self) -> list[str]:
        """The hosts that are asked, each once."""
        named = (*(top.host for top in self.tops), *(host for host, _ in self.databases))
        return list(dict.fromkeys(named))

    @classmethod
    def parse(
        cls,
        directories: Sequence[str],
        databases: Sequence[str],
        max_age: float | None = None,
        max_drill_age: float | None = None,
    ) -> StatusRequest:
        """Make a request of what the user wrote.

        Raises:
            UsageError: an argument cannot be what it should be.
        """
        tops = tuple(dict.fromkeys(map(parse_directory, directories)))
        return cls(tops, tuple(map(parse_database, databases)), max_age, max_drill_age)
