"""Where image and databases are: disks that they share, and file systems of other machines."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING, Literal

from csf_backup_plugin.image.path import is_host
from csf_backup_plugin.names import command, is_inside, listed, shown

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from csf_backup_plugin.hosts.protocol.values import Facts, Stat

#: The environment variable that names redundant arrays which the machine does not recognize as
#: such: disks, and mount points of file systems whose disks are not known.
ARRAYS = "CSF_BACKUP_RAID"

SharedDisk = Literal["no", "array", "unknown", "yes"]

_BY_CONCERN: tuple[SharedDisk, ...] = ("no", "array", "unknown", "yes")
# File systems whose files are on other machines. A FUSE file system may be one, too, except
# fuseblk, which mounts a block device of this machine.
_NETWORK = {
    *("9p", "afs", "beegfs", "ceph", "cifs", "coda", "glusterfs", "gpfs", "lustre", "ncpfs", "nfs"),
    *("nfs4", "orangefs", "prl_fs", "pvfs2", "smb3", "smbfs", "vboxsf", "virtiofs"),
}
# Those whose source names the server with the files.
_SERVED = ("nfs", "nfs4", "cifs", "smb3", "smbfs", "fuse.sshfs")


def is_same(one: Facts, other: Facts) -> bool:
    """Return whether two paths lead to the same directory, whichever mounts and names they use."""
    return one.resolved == other.resolved or is_one(one, other)


def is_one(one: Facts | Stat, other: Facts | Stat) -> bool:
    """Return whether two paths lead to the same inode of the same file system."""
    return bool(one.inode) and (one.device, one.inode) == (other.device, other.inode)


def is_within(one: Facts, directory: Facts) -> bool:
    """Return whether a path is a directory or below it, whichever mounts and names they use."""
    return (
        is_same(one, directory)
        or is_inside(one.resolved, directory.resolved)
        or bool(directory.place and is_inside(one.place, directory.place))
    )


def shared_disk(
    at_image: Facts, homes: Mapping[str, Facts], arrays: Collection[str] = ()
) -> SharedDisk:
    """Return whether the failure of one disk loses both the image and some of the databases.

    Args:
        at_image: the facts on the image's directory.
        homes: the facts on each directory of databases.
        arrays: disks and mount points that are redundant arrays according to the user.

    Returns:
        ``array`` if they share disks only through a redundant array; ``unknown`` if the disks of
        some directories are not known.
    """
    return max((_shared(at_image, at, arrays) for at in homes.values()), key=_BY_CONCERN.index)


def _shared(one: Facts, other: Facts, arrays: Collection[str]) -> SharedDisk:
    if (one.vital & other.vital).difference(arrays):
        return "yes"
    if one.disks & other.disks:
        return "array"
    if one.device == other.device:
        return "array" if {one.mount, other.mount}.intersection(arrays) else "yes"
    return "no" if one.disks and other.disks else "unknown"


def warnings(
    at_image: Facts,
    homes: Mapping[str, Facts],
    databases: Sequence[str],
    arrays: Collection[str] = (),
) -> Iterator[str]:
    """Yield warnings about where image and databases are.

    Args:
        at_image: the facts on the image's directory.
        homes: the facts on each directory of databases.
        databases: the databases' paths.
        arrays: as for `shared_disk`.
    """
    yield from _shared_warnings(at_image, homes, databases, arrays)
    elsewhere: dict[tuple[str, str], list[str]] = {}
    for path in databases:
        at = homes[posixpath.dirname(path)]
        if at.filesystem in _NETWORK or _is_fuse(at.filesystem):
            elsewhere.setdefault((at.filesystem, at.source), []).append(path)
    for (kind, source), paths in elsewhere.items():
        what = "FUSE" if _is_fuse(kind) else "network"
        yield (
            f"databases are on a {what} file system ({kind} of {shown(source)}): {listed(paths)}. "
            f"{_advice(kind, source)}"
        )


def _shared_warnings(
    at_image: Facts, homes: Mapping[str, Facts], databases: Sequence[str], arrays: Collection[str]
) -> Iterator[str]:
    at = {path: homes[posixpath.dirname(path)] for path in databases}
    sharing = [path for path in databases if _shared(at_image, at[path], arrays) == "yes"]
    if not sharing:
        return
    vital = frozenset[str]().union(*(at[path].vital for path in sharing))
    names = sorted((vital & at_image.vital).difference(arrays))
    what = f"a physical disk ({', '.join(names)})" if names else "a file system"
    whose = "databases" if len(sharing) == len(databases) else listed(sharing)
    named = names or [at_image.mount] * _can_be_named(at_image.mount)
    given = command(f"{ARRAYS}={' '.join([*sorted(arrays), *named])}")
    way_out = f"; if this one is a redundant array, say so: export {given}" if named else ""
    yield f"image and {whose} share {what}: its failure would take both. Use another disk{way_out}"


def _can_be_named(mount: str) -> bool:
    """Return whether a mount point is known, and contains no blank."""
    return mount.split() == [mount]


def _is_fuse(kind: str) -> bool:
    return f"{kind}.".startswith("fuse.")


def _advice(kind: str, source: str) -> str:
    server = _server(source) if kind in _SERVED else ""
    if not server:
        return (
            "If they lie on another machine, osbackup should run there, so that they do not move "
            "through the network: name that machine as HOST"
        )
    return (
        f"They move through the network; osbackup should run on {server}, where they lie: give "
        f"-image-file {server}:PATH, and -database as its path there"
    )


def _server(source: str) -> str:
    """Return the machine that a source names, if it is valid as HOST."""
    name = source[2:].partition("/")[0] if source.startswith("//") else source.partition(":")[0]
    return name if is_host(name) else ""
