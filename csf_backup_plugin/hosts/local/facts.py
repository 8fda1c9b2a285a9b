"""What the pre-flight wants to know of a path."""

from __future__ import annotations

import functools
import os
from typing import TYPE_CHECKING

from csf_backup_plugin.hosts.local.disks import disks_below
from csf_backup_plugin.hosts.local.reading import is_link, standing
from csf_backup_plugin.hosts.protocol import Facts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_SECTOR = 512  # bytes; what st_blocks counts, whatever a block of the file system is


def look(paths: Iterable[str]) -> list[Facts]:
    """Return the facts on each path, in order; the way up to a mount point is gone once."""
    mount = functools.lru_cache(maxsize=None)(mount_point)
    return [facts(path, mount) for path in paths]


def mount_point(directory: str) -> str:
    """Return the mount point above a directory that has no links in its path, as stat(1) does.

    A bind mount of a directory of the same file system is not seen.
    """
    device = os.stat(directory).st_dev
    while os.stat(above := os.path.dirname(directory)).st_dev == device and above != directory:
        directory = above
    return directory


def facts(path: str, mount: Callable[[str], str] = mount_point) -> Facts:
    """Return the facts on `path`; of what leads nowhere, only its kind.

    Args:
        path: any path.
        mount: finds the mount point above a directory.
    """
    kind, status = standing(path)
    resolved = os.path.realpath(path)
    if status is None:
        return Facts(
            *(kind, 0, resolved),
            writable=False,
            free=0,
            device=-1,
            disks=frozenset(),
            stamp="",
            link=is_link(path),
        )
    space = os.statvfs(path)
    return Facts(
        kind,
        status.st_size if kind == "file" else 0,
        resolved,
        writable=os.access(path, os.W_OK | (os.X_OK if kind == "directory" else 0)),
        free=space.f_bavail * space.f_frsize,
        device=status.st_dev,
        disks=disks_below(status.st_dev),
        stamp=f"{status.st_ino}-{status.st_size}-{status.st_mtime_ns}-{status.st_ctime_ns}",
        link=resolved != path and is_link(path),
        mount=mount(resolved if kind == "directory" else os.path.dirname(resolved)),
        allocated=status.st_blocks * _SECTOR if kind == "file" else 0,
    )
