"""What the pre-flight wants to know of a path."""

from __future__ import annotations

import os

from csf_backup_plugin.hosts.local.disks import disks_below
from csf_backup_plugin.hosts.local.files import kind_of
from csf_backup_plugin.hosts.protocol import Facts


def facts(path: str) -> Facts:
    """Return the facts on `path`; where nothing can be followed to, only its kind."""
    kind, size = kind_of(path)
    resolved = os.path.realpath(path)
    try:
        device, space = os.stat(path).st_dev, os.statvfs(path)
    except OSError:
        return Facts(kind, 0, resolved, writable=False, free=0, device=-1, disks=frozenset())
    return Facts(
        kind,
        size,
        resolved,
        writable=os.access(path, os.W_OK | (os.X_OK if kind == "directory" else 0)),
        free=space.f_bavail * space.f_frsize,
        device=device,
        disks=disks_below(device),
    )
