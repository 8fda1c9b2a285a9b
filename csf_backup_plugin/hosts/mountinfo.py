"""What is mounted where, from /proc/self/mountinfo; see proc_pid_mountinfo(5)."""

from __future__ import annotations

import posixpath
import re
from typing import NamedTuple

#: The file itself; a process sees the mounts of its own mount namespace.
MOUNTINFO = "/proc/self/mountinfo"
_ESCAPED = re.compile(r"\\([0-7]{3})")  # space, tab, newline and backslash in paths
_NFS = ("nfs", "nfs4")
_OPTIONAL = 6  # from this field on, any number of them, and then a dash


class Mount(NamedTuple):
    """A mount.

    Attributes:
        id: its number.
        parent: the number of the mount it is on.
        device: of the file system, as ``major:minor``.
        root: the directory of the file system that is mounted; not ``/`` for a bind mount.
        point: where it is mounted.
        type: of the file system, such as ``ext4``, ``nfs4`` or ``fuse.sshfs``.
        source: what is mounted, such as ``/dev/sda1`` or ``filer:/export``.
    """

    id: str
    parent: str
    device: str
    root: str
    point: str
    type: str
    source: str

    def place(self, path: str) -> str:
        """Return where in its file system a path is: the same whichever mount leads to it."""
        # NFS has the same root for every mount, and one device for all mounts of one server; the
        # mounted directory is in its source.
        root = self.source if self.type in _NFS else self.root
        return f"{self.device}:{_joined(root, path[len(self.point.rstrip('/')) :])}"


class Mounts:
    """All mounts.

    Args:
        mounts: in the order in which mountinfo has them.
    """

    def __init__(self, mounts: list[Mount]) -> None:
        self._by_id = {mount.id: mount for mount in mounts}
        # A process in a chroot, whose root directory is not that of its mount namespace, sees no
        # mount at /.
        self._on = {
            (mount.parent if self._above(mount) else "", mount.point): mount for mount in mounts
        }

    def at(self, path: str) -> Mount | None:
        """Return the mount that a path without links is on; None if that is not known.

        Mounts are followed as the kernel follows them: one may hide others. A directory that is
        mounted on itself, as service managers do to keep the rest read-only, does not count as a
        mount.
        """
        found, number = None, ""
        for above in _down_to(path):
            while below := self._on.get((number, above)):
                found, number = below, below.id
        while found and (above_it := self._above(found)) and _is_itself(found, above_it):
            found = above_it
        return found

    def _above(self, mount: Mount) -> Mount | None:
        return self._by_id.get(mount.parent) if mount.parent != mount.id else None


def parse(text: str) -> Mounts:
    """Return the mounts in the text of `MOUNTINFO`."""
    return Mounts([_mount(line.split(" ")) for line in text.split("\n") if line])


def _mount(fields: list[str]) -> Mount:
    number, parent, device, root, point = fields[:5]
    kind, source = fields[fields.index("-", _OPTIONAL) + 1 :][:2]
    return Mount(number, parent, device, *map(_unescaped, (root, point, kind, source)))


def _unescaped(field: str) -> str:
    return _ESCAPED.sub(lambda match: chr(int(match[1], 8)), field)


def _down_to(path: str) -> list[str]:
    """Return the directories from ``/`` down to a path, itself the last."""
    found = [path]
    while path != "/":
        path = posixpath.dirname(path)
        found.append(path)
    return found[::-1]


def _is_itself(mount: Mount, above: Mount) -> bool:
    return mount.place(mount.point) == above.place(mount.point)


def _joined(root: str, below: str) -> str:
    return f"{root.rstrip('/')}{below}" or "/"
