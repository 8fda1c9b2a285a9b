"""What the pre-flight wants to know of a path."""

from __future__ import annotations

import functools
import os
from typing import TYPE_CHECKING

from csf_backup_plugin.hosts.local.disks import disks_below
from csf_backup_plugin.hosts.local.reading import is_link, standing
from csf_backup_plugin.hosts.mountinfo import MOUNTINFO, Mounts, parse
from csf_backup_plugin.hosts.protocol import Facts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from csf_backup_plugin.hosts.protocol import Kind
    from csf_backup_plugin.hosts.redundancy import Disks

_SECTOR = 512  # bytes; what st_blocks counts, whatever a block of the file system is


def look(paths: Iterable[str]) -> list[Facts]:
    """Return the facts on each path, in order."""
    stood = [(path, *standing(path)) for path in paths]
    # Only now: what is mounted when it is looked at is mounted by now.
    mounts = _mounts()
    disks = functools.lru_cache(maxsize=None)(disks_below)
    return [
        _facts(path, kind, status, mounts, disks) if status else _nowhere(path, kind)
        for path, kind, status in stood
    ]


def _mounts() -> Mounts:
    """Return all mounts; none where there is no /proc."""
    try:
        with open(MOUNTINFO, "rb") as file:
            return parse(os.fsdecode(file.read()))
    except OSError:
        return Mounts([])


def _nowhere(path: str, kind: Kind) -> Facts:
    """Return the facts on what leads nowhere."""
    return Facts(
        *(kind, 0, os.path.realpath(path)),
        writable=False,
        free=0,
        device=-1,
        disks=frozenset(),
        stamp="",
        link=is_link(path),
    )


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
        kind: what stands there.
        status: of what stands there.
        mounts: what is mounted.
        disks_of: finds the disks of a device.
    """
    resolved, space = os.path.realpath(path), os.statvfs(path)
    disks = disks_of(status.st_dev)
    return Facts(
        kind,
        status.st_size if kind == "file" else 0,
        resolved,
        writable=os.access(path, os.W_OK | (os.X_OK if kind == "directory" else 0)),
        free=space.f_bavail * space.f_frsize,
        device=status.st_dev,
        disks=disks.all,
        stamp=f"{status.st_ino}-{status.st_size}-{status.st_mtime_ns}-{status.st_ctime_ns}",
        link=resolved != path and is_link(path),
        allocated=status.st_blocks * _SECTOR if kind == "file" else 0,
        inode=status.st_ino,
        vital=disks.vital,
        readable=os.access(path, os.R_OK),
    ).on(mounts.at(resolved))
