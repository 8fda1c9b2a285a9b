"""The name of a schedule, and the digest from which its name and its minute are made."""

from __future__ import annotations

import hashlib
import os
import posixpath
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from csf_backup_plugin.hosts.protocol.values import Machine

# cron ignores files of /etc/cron.d with other characters in their names, as run-parts(8) does.
_ODD = re.compile(r"[^A-Za-z0-9_-]+")
_LONGEST = 40  # characters


def digest_of(named: str, machine: Machine) -> bytes:
    """Return a digest that never changes for a repository and a machine, and differs for others.

    Args:
        named: HOST:MASTER, with a resolved path; or a fleet file's path.
        machine: the machine that the schedule runs on.
    """
    return hashlib.sha256(os.fsencode(f"{machine.id or machine.name}\0{named}")).digest()


def name_of(path: str, digest: bytes) -> str:
    """Return the name of a schedule, fit for a file of /etc/cron.d and for a unit.

    Args:
        path: the path of the master database, or of the fleet file.
        digest: as `digest_of` returns it.
    """
    part = _ODD.sub("-", posixpath.splitext(posixpath.basename(path))[0])[:_LONGEST]
    return f"csf-backup-{part}-{digest.hex()[:6]}"
