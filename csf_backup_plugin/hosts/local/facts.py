"""What the pre-flight wants to know of a path."""

from __future__ import annotations

import os

from csf_backup_plugin.hosts.local.disks import disks_below
from csf_backup_plugin.hosts.local.reading import kind_of
from csf_backup_plugin.hosts.protocol import Facts


def facts(path: str) -> Facts:
    """Return the facts on `path`; of what leads nowhere, only its kind."""
    kind, size = kind_of(path)
    resolved = os.path.realpath(path)
    if kind == "missing" or not os.path.exists(path):
        return Facts(
            kind, 0, resolved, writable=False, free=0, device=-1, disks=frozenset(), stamp=""
        )
    status, space = os.stat(path), os.statvfs(path)
    return Facts(
        kind,
        size,
        resolved,
        writable=os.access(path, os.W_OK | (os.X_OK if kind == "directory" else 0)),
        free=space.f_bavail * space.f_frsize,
        device=status.st_dev,
        disks=disks_below(status.st_dev),
        stamp=f"{status.st_ino}-{status.st_size}-{status.st_mtime_ns}-{status.st_ctime_ns}",
    )
