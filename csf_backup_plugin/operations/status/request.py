"""What a status is asked of, checked before anything is looked at."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, NamedTuple

from csf_backup_plugin.image.path import parse_directory
from csf_backup_plugin.operations.request import parse_database

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from csf_backup_plugin.image.path import ImagePath
    from csf_backup_plugin.repository.model import Repository


class Expected(NamedTuple):
    """What a fleet file says of a repository that must have images.

    Attributes:
        name: of the repository, in the file.
        tops: ``latest`` of each of its image directories.
        max_age: how old its newest set may be, in seconds; None where the file does not say.
        max_drill_age: likewise its last good drill; 0 for any age.
    """

    name: str
    tops: tuple[ImagePath, ...]
    max_age: float | None = None
    max_drill_age: float | None = None


@dataclass(frozen=True)
class StatusRequest:
    """What a status is asked of.

    Attributes:
        tops: ``latest`` of each image directory.
        databases: host and repository of each that must have images.
        max_age: how old the newest set may be, in seconds; None for what the promise says.
        max_drill_age: likewise the last good drill; None likewise, 0 for any age.
        expected: what a fleet file says of some of the databases.
    """

    tops: tuple[ImagePath, ...]
    databases: tuple[tuple[str, Repository], ...] = ()
    max_age: float | None = None
    max_drill_age: float | None = None
    expected: Mapping[tuple[str, Repository], Expected] = field(default_factory=dict)

    def of(self, expected: Expected | None) -> StatusRequest:
        """Return the request of one repository: where it says no age, the fleet file does."""
        if expected is None:
            return self
        drill_age = self.max_drill_age
        return replace(
            self,
            max_age=self.max_age or expected.max_age,
            max_drill_age=expected.max_drill_age if drill_age is None else drill_age,
        )

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
