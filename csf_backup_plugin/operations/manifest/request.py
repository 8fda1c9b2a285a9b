"""The change of a manifest that the user asks for, checked before anything is touched."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from csf_backup_plugin.advised_commands import PLAIN_MANIFEST
from csf_backup_plugin.errors import UsageError
from csf_backup_plugin.names import absolute, shown

if TYPE_CHECKING:
    from collections.abc import Iterable

    from csf_backup_plugin.image.path import ImagePath


@dataclass(frozen=True)
class ManifestChange:
    """A change of a manifest.

    Attributes:
        rebuild: rebuild the manifest; otherwise only append `add` and `drop`.
        home: whether a repository at a new path was moved and keeps its id, or was copied and gets
            a new one; None to leave that open.
        image: take the databases and the id of this image, too.
        add: paths of databases that belong to the repository.
        drop: paths of databases that do not.
    """

    rebuild: bool = False
    home: Literal["moved", "copied"] | None = None
    image: ImagePath | None = None
    add: tuple[str, ...] = ()
    drop: tuple[str, ...] = ()

    @classmethod
    def parse(
        cls,
        *,
        rebuild: bool,
        moved: bool,
        copied: bool,
        image: ImagePath | None,
        add: Iterable[str],
        drop: Iterable[str],
    ) -> ManifestChange:
        """Parse what the user wrote.

        Raises:
            UsageError: two options exclude each other, or a path is not valid.
        """
        if moved and copied:
            raise UsageError(
                "-moved and -copied exclude each other.",
                "Give -moved if the repository is nowhere else any more, -copied if it is.",
            )
        if (moved or copied) and not rebuild:
            raise UsageError("-moved and -copied need -rebuild.", "Give -rebuild, too.")
        added, dropped = _paths("-add", add), _paths("-drop", drop)
        if both := [path for path in added if path in dropped]:
            raise UsageError(
                f"{shown(both[0])} is given with both -add and -drop.", "Give it with one of them."
            )
        home: Literal["moved", "copied"] | None = "moved" if moved else "copied" if copied else None
        return cls(rebuild, home, image, added, dropped)


def _paths(option: str, paths: Iterable[str]) -> tuple[str, ...]:
    found: dict[str, None] = {}
    for path in paths:
        try:
            found[absolute(path)] = None
        except ValueError as error:
            raise UsageError(
                f"{option} {shown(path)!r} {error}.",
                f"Give {option} as the absolute path of a database, as {PLAIN_MANIFEST} shows it.",
            ) from None
    return tuple(found)
