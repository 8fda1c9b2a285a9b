"""What the databases are before osbackup and after it; at its own instant nobody looks."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from csf_backup_plugin.hosts.protocol import Host, Stat

#: Of so few bytes of databases, the part that may be empty tells nothing.
_SLACK = 1 << 16


class Sizes(NamedTuple):
    """Two looks at the same databases.

    Attributes:
        before: what stood at the path of each just before osbackup was started.
        after: what stands there after it has ended.
    """

    before: Mapping[str, Stat]
    after: Mapping[str, Stat]

    @property
    def before_bytes(self) -> dict[str, int]:
        """The bytes of each before."""
        return {path: one.size for path, one in self.before.items()}

    @property
    def after_bytes(self) -> dict[str, int]:
        """The bytes of each after."""
        return {path: one.size for path, one in self.after.items()}

    @property
    def changed(self) -> tuple[str, ...]:
        """The databases that were changed or replaced between the two looks."""
        return tuple(
            path for path in self.before if self.before[path].stamp != self.after[path].stamp
        )

    @property
    def held(self) -> int:
        """The bytes of data that the image must hold, at least.

        A hole holds none, nor does what a file system takes up beyond a file's end; and what was
        there at one look only was perhaps not there at osbackup's instant.
        """
        pairs = zip(self.before.values(), self.after.values(), strict=True)
        return sum(min(one.size, one.allocated, two.size, two.allocated) for one, two in pairs)

    @property
    def doubts(self) -> list[str]:
        """What keeps `held` from being known, in words."""
        looks = (*self.before.values(), *self.after.values())
        if any(one.allocated for one in looks) or sum(self.before_bytes.values()) <= _SLACK:
            return []
        return [
            "by their file system's account the databases take up no room on the disk, so whether "
            "the image is far too small for them cannot be known"
        ]


def look(paths: Iterable[str], host: Host) -> dict[str, Stat]:
    """Return what stands at the path of each database."""
    listed = list(paths)
    return dict(zip(listed, host.stat(listed), strict=True))


def is_too_small(image: int, held: int) -> bool:
    """Tell whether an image can hardly hold its databases.

    osbackup counts every sector of a file, so an image is about as large as its databases. That it
    leaves out what is empty, or compresses, is not known of any release; half leaves room for that,
    and for files that are half empty. An image smaller still has lost data more likely than not.

    Args:
        image: its bytes.
        held: the bytes of data that the databases hold.
    """
    return image < held // 2 - _SLACK
