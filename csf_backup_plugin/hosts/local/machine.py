"""Who this machine is."""

from __future__ import annotations

import os

from csf_backup_plugin import timestamps
from csf_backup_plugin.hosts import common
from csf_backup_plugin.hosts.protocol.values import Machine


def machine() -> Machine:
    """Return who the machine is, and what its clock says."""
    ids = map(_start_of, common.MACHINE_IDS)
    now = timestamps.now()
    return Machine(common.machine_id(ids), os.uname().nodename, now, timestamps.local(now))


def _start_of(path: str) -> bytes:
    """Return the beginning of a file; nothing if it cannot be read."""
    try:
        with open(path, "rb") as file:
            return file.read(common.MACHINE_ID_SIZE)
    except OSError:
        return b""
