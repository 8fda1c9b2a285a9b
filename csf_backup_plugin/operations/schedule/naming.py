"""The name of a schedule, and the digest of machine and repository behind name and minute."""

from __future__ import annotations

import hashlib
import os
import posixpath
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from csf_backup_plugin.hosts.protocol import Machine

# cron ignores files of /etc/cron.d with other characters in their names, as run-parts(8) does.
_ODD = re.compile(r"[^A-Za-z0-9_-]+")
_LONGEST = 40  # characters


def digest_of(named: str, machine: Machine) -> bytes:
    """Return a digest that is always the same for one repository, and differs between repositories.

    Args:
        named: HOST:MASTER, with a resolved path; or a fleet file's path.
        machine: the machine that the schedule runs on.
    """
    return hashlib.sha256(os.fsencode(f"{machine.id or machine.name}\0{named}")).digest()


def name_of(path: str, digest: bytes) -> str:
    """Return the name of a schedule, fit for a file of /etc/cron.d and for a unit.

    Args:
        path: of the master database that is backed up, or of a fleet file.
        digest: as `digest_of` returns it.
    """
    part = _ODD.sub("-", posixpath.splitext(posixpath.basename(path))[0])[:_LONGEST]
    return f"csf-backup-{part}-{digest.hex()[:6]}"
