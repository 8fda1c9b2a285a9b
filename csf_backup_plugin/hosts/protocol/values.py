"""What is known of a host, of a path on it, and of a program that ended."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from csf_backup_plugin.hosts.mountinfo import Mount


Kind = Literal["missing", "file", "directory", "other"]


#: Statuses that no program ends with by itself: its exit status is not known; it was stopped
#: because it printed more than the limit; the utility was not run because the repository could not
#: be made quiet.
UNKNOWN, ENDLESS, UNQUIET = 256, 257, 258


class Entry(NamedTuple):
    """A name in a directory; a link is described by its target, or as "other" if it has none.

    Attributes:
        name: its name there.
        kind: what it is.
        size: in bytes.
        link: whether the name itself is a symbolic link.
        modified: when its contents were last changed, in seconds since the epoch; 0 for a link
            without a target.
    """

    name: str
    kind: Kind
    size: int
    link: bool = False
    modified: float = 0.0


class Stat(NamedTuple):
    """What is at a path: only what is cheap to find out for any number of paths.

    Attributes:
        kind: what is there; of a symbolic link, what its target is, or "other" if it has none.
        size: of a file, in bytes.
        link: whether the path itself is a symbolic link; links in its directory's path do not
            count.
        stamp: of a file, an opaque token; changes when the file is modified or replaced.
        allocated: of a file, the bytes its blocks take up; holes take none.
        device: the number of its file system's device; -1 if the path leads to nothing.
        inode: its number in its file system; 0 if the path leads to nothing.
        readable: whether we may read it.
    """

    kind: Kind
    size: int = 0
    link: bool = False
    stamp: str = ""
    allocated: int = 0
    device: int = -1
    inode: int = 0
    readable: bool = False


class Facts(NamedTuple):
    """What is known of a directory, or of another path, and of the file system it is in.

    Attributes:
        kind: what is there; a symbolic link without a target is "other".
        resolved: the path with every symbolic link followed.
        device: the number of its file system's device; -1 if the path leads to nothing.
        inode: its number in its file system; 0 if the path leads to nothing.
        writable: whether we may write there.
        free: the bytes that we may still write to its file system.
        disks: names of the physical disks below its file system; empty where unknown.
        vital: those of the disks whose failure alone loses the file system; a disk that only a
            redundant array uses is not one of them.
        mount: the mount point of its file system; empty if it is not known.
        place: where in its file system it is: the same whichever mount leads to it. Empty as
            `mount` is.
        filesystem: the type of its file system, such as ``ext4`` or ``nfs4``; empty as `mount` is.
        source: what is mounted there, such as ``filer:/export``; empty as `mount` is.
    """

    kind: Kind
    resolved: str
    device: int = -1
    inode: int = 0
    writable: bool = False
    free: int = 0
    disks: frozenset[str] = frozenset()
    vital: frozenset[str] = frozenset()
    mount: str = ""
    place: str = ""
    filesystem: str = ""
    source: str = ""

    def on(self, mount: Mount | None) -> Facts:
        """Return the facts, completed from the mount that the path is on; unchanged without one."""
        if mount is None:
            return self
        return self._replace(
            mount=mount.point,
            place=mount.place(self.resolved),
            filesystem=mount.type,
            source=mount.source,
        )


class Machine(NamedTuple):
    """Who a host says it is.

    Attributes:
        id: the machine-id(5); empty where it has none.
        name: what it calls itself, as ``uname -n`` prints it.
        now: its clock, as `timestamps.now` writes it: UTC, ISO 8601, to the second.
        local: the same time in the time zone of our user there.
    """

    id: str
    name: str
    now: str
    local: str = ""


class Completed(NamedTuple):
    """How a program ended.

    Attributes:
        status: its exit status, or minus the number of the signal that ended it, or `UNKNOWN` or
            `ENDLESS`.
        output: what it printed on standard output.
        errors: what it printed on standard error, if that is kept separately.
    """

    status: int
    output: bytes
    errors: bytes = b""
