"""The options of a status, checked before anything is read."""

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
    """A fleet file's expectations of a repository.

    Attributes:
        name: the repository's name in the file.
        tops: ``latest`` of each of its image directories.
        max_age: how old its newest set may be, in seconds; None if the file does not say.
        max_drill_age: how old its last good drill may be, in seconds; None if the file does not
            say, 0 for any age.
    """

    name: str
    tops: tuple[ImagePath, ...]
    max_age: float | None = None
    max_drill_age: float | None = None


@dataclass(frozen=True)
class StatusRequest:
    """A status of image directories and repositories.

    Attributes:
        tops: ``latest`` of each image directory.
        databases: the host and the repository of each database that must have images.
        max_age: how old the newest set may be, in seconds; None for the promised age.
        max_drill_age: how old the last good drill may be, in seconds; None for the promised age, 0
            for any age.
        expected: a fleet file's expectations of some of the repositories.
    """

    tops: tuple[ImagePath, ...]
    databases: tuple[tuple[str, Repository], ...] = ()
    max_age: float | None = None
    max_drill_age: float | None = None
    expected: Mapping[tuple[str, Repository], Expected] = field(default_factory=dict)

    def of(self, expected: Expected | None) -> StatusRequest:
        """Return the request for one repository; its ages may come from the fleet file."""
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
        """The hosts to look at, each once."""
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
        """Parse what the user wrote.

        Raises:
            UsageError: an argument has a wrong value.
        """
        tops = tuple(dict.fromkeys(map(parse_directory, directories)))
        return cls(tops, tuple(map(parse_database, databases)), max_age, max_drill_age)
