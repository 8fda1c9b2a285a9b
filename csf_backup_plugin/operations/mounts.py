"""Check that file systems are mounted: the mount point of a missing disk is a plain directory."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING

from csf_backup_plugin.errors import NotMounted
from csf_backup_plugin.names import is_inside, shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from csf_backup_plugin.hosts.protocol.host import Host
    from csf_backup_plugin.hosts.protocol.values import Facts


def look_at_directories(
    paths: Iterable[str], known: Mapping[str, Facts], host: Host
) -> dict[str, Facts]:
    """Return the facts on the directory of each path.

    Args:
        paths: the paths.
        known: the facts on directories that were read just now.
        host: the host to work on.
    """
    directories = sorted({*map(posixpath.dirname, paths)})
    rest = [path for path in directories if path not in known]
    looked = {**known, **dict(zip(rest, host.look(rest) if rest else [], strict=True))}
    return {path: looked[path] for path in directories}


def mount_points(directories: Mapping[str, Facts]) -> dict[str, str]:
    """Return the mount point of each directory that exists and whose mount point is known.

    Args:
        directories: the facts on each.
    """
    there = ((path, at.mount) for path, at in directories.items() if at.kind == "directory")
    return {path: mount for path, mount in there if mount}


def why_unmounted(at: Facts, mount: str) -> str:
    """Return why an image directory is not on the file system that it was on before.

    Args:
        at: the facts on the directory.
        mount: where its file system was mounted, from an earlier receipt.

    Returns:
        Words that follow the directory's name in a message; empty if its file system is mounted.
    """
    if is_inside(at.mount, mount):
        return ""
    return (
        f"was on the file system mounted at {shown(mount)}, and is on that of "
        f"{shown(at.mount or '?')} now: its disk is not mounted. If it is not to be any more, "
        "leave the directory out of one run"
    )


def check_mounted(directory: str, at: Facts, at_root: Facts, host: Host) -> None:
    """Refuse a directory on the file system of ``/`` if -require-mount is given.

    Args:
        directory: its path.
        at: the facts on it.
        at_root: the facts on ``/``.
        host: the host to work on.

    Raises:
        NotMounted: it is on the file system of ``/``.
    """
    if at.device == at_root.device:
        raise NotMounted(
            f"{host.name}:{shown(directory)} is on the file system of /, and -require-mount says "
            "that another one is to be mounted there.",
            "Mount the disk, and run the same command again.",
        )


def check_still_mounted(
    mounts: Mapping[str, str], directories: Mapping[str, Facts], host: Host
) -> None:
    """Refuse directories whose file system was mounted at the backup and is not mounted now.

    Args:
        mounts: the mount point of each directory, from the receipt.
        directories: the facts on the directories that are to be written to.
        host: the host to work on.

    Raises:
        NotMounted: the message names the mount point.
    """
    for path, at in directories.items():
        if (mount := mounts.get(path, "/")) in ("", "/"):
            continue
        if at.kind == "directory" and not (at.mount and is_inside(at.mount, mount)):
            raise NotMounted(
                f"When the backup was made, {shown(path)} on {host.name} was on the file system "
                f"mounted at {shown(mount)}, and {_now(at)}.",
                "Mount it, and run the same command again. To restore anyway, to where the "
                "directory is now, add -accept-unmounted.",
            )


def _now(at: Facts) -> str:
    if not at.mount:
        return "which one it is on now is not known"
    return f"now it is on that of {shown(at.mount)}: its disk is not mounted"
