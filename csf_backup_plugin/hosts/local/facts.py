"""Facts on a directory: its disks, its mount, its free space."""

from __future__ import annotations

import functools
import os
from typing import TYPE_CHECKING

from csf_backup_plugin.hosts.local.disks import disks_below
from csf_backup_plugin.hosts.local.kinds import standing
from csf_backup_plugin.hosts.mountinfo import MOUNTINFO, Mounts, parse
from csf_backup_plugin.hosts.protocol.values import Facts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from csf_backup_plugin.hosts.protocol.values import Kind
    from csf_backup_plugin.hosts.raid import Disks


def look(paths: Iterable[str]) -> list[Facts]:
    """Return the facts on each path, in order."""
    stood = [(path, *standing(path)) for path in paths]
    # Read after the paths were looked at: that may have mounted something (automount).
    mounts = _mounts()
    disks = functools.lru_cache(maxsize=None)(disks_below)
    return [
        _facts(path, kind, status, mounts, disks) if status else Facts(kind, os.path.realpath(path))
        for path, kind, status in stood
    ]


def _mounts() -> Mounts:
    """Return all mounts; none if there is no /proc."""
    try:
        with open(MOUNTINFO, "rb") as file:
            return parse(os.fsdecode(file.read()))
    except OSError:
        return Mounts([])


def _facts(
    path: str,
    kind: Kind,
    status: os.stat_result,
    mounts: Mounts,
    disks_of: Callable[[int], Disks],
) -> Facts:
    """Return the facts on a path.

    Args:
        path: any path.
        kind: what is there.
        status: its status.
        mounts: what is mounted.
        disks_of: finds the disks of a device.
    """
    resolved, space = os.path.realpath(path), os.statvfs(path)
    disks = disks_of(status.st_dev)
    return Facts(
        kind,
        resolved,
        device=status.st_dev,
        inode=status.st_ino,
        writable=os.access(path, os.W_OK | (os.X_OK if kind == "directory" else 0)),
        free=space.f_bavail * space.f_frsize,
        disks=disks.all,
        vital=disks.vital,
    ).on(mounts.at(resolved))
