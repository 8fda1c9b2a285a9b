"""The databases' sizes before and after osbackup; those in its snapshot are not known."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from csf_backup_plugin.hosts.protocol.host import Host
    from csf_backup_plugin.hosts.protocol.values import Stat

#: Below this many bytes of databases, the image's size is not checked: most of them may be empty.
_SLACK = 1 << 16


class Sizes(NamedTuple):
    """The state of the same databases at two times.

    Attributes:
        before: what was at each path just before osbackup was started.
        after: what was at each path after it had ended.
    """

    before: Mapping[str, Stat]
    after: Mapping[str, Stat]

    @property
    def before_bytes(self) -> dict[str, int]:
        """The size of each database before, in bytes."""
        return {path: one.size for path, one in self.before.items()}

    @property
    def after_bytes(self) -> dict[str, int]:
        """The size of each database after, in bytes."""
        return {path: one.size for path, one in self.after.items()}

    @property
    def changed(self) -> tuple[str, ...]:
        """The databases that were changed or replaced between the two times."""
        return tuple(
            path for path in self.before if self.before[path].stamp != self.after[path].stamp
        )

    @property
    def held(self) -> int:
        """The bytes of data that the image must hold at least.

        Holes and blocks beyond a file's end do not count. Data that was there at only one of the
        two times does not count either, since osbackup's snapshot may be without it.
        """
        pairs = zip(self.before.values(), self.after.values(), strict=True)
        return sum(min(one.size, one.allocated, two.size, two.allocated) for one, two in pairs)

    @property
    def doubts(self) -> list[str]:
        """A warning if the file system does not say how much data the databases hold."""
        looks = (*self.before.values(), *self.after.values())
        if any(one.allocated for one in looks) or sum(self.before_bytes.values()) <= _SLACK:
            return []
        return [
            "the file system reports that the databases take up no space on the disk, so whether "
            "the image is far too small for them cannot be checked"
        ]


def look(paths: Iterable[str], host: Host) -> dict[str, Stat]:
    """Return what is at the path of each database."""
    listed = list(paths)
    return dict(zip(listed, host.stat(listed), strict=True))


def is_too_small(image: int, held: int) -> bool:
    """Return whether an image is too small to hold its databases.

    osbackup counts every sector of a file, so an image is about as large as its databases. No
    release is known to leave out empty parts, or to compress; the limit of one half allows for
    that, and for files that are half empty. A smaller image has probably lost data.

    Args:
        image: its size in bytes.
        held: the bytes of data that the databases hold.
    """
    return image < held // 2 - _SLACK
