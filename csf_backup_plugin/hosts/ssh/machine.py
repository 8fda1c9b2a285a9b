"""Who the host is."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from csf_backup_plugin.hosts import common
from csf_backup_plugin.hosts.protocol import Machine
from csf_backup_plugin.hosts.ssh.errors import check

if TYPE_CHECKING:
    from csf_backup_plugin.hosts.ssh.connection import Connection

# $1 is the number of bytes to read of each of the files that follow it.
_WHO = r"""
name=$(uname -n) && now=$(date -u +%Y-%m-%dT%H:%M:%S+00:00) || exit
printf '%s\0' "$name" "$now"
size=$1; shift
for path; do head -c "$size" -- "$path"; printf '\0'; done 2>/dev/null
"""


def machine(connection: Connection) -> Machine:
    """Return who the host says it is, and what its clock says.

    Raises:
        OSError: it cannot say so; the host stands for a file.
    """
    arguments = (str(common.MACHINE_ID_SIZE), *common.MACHINE_IDS)
    answer = check(connection.ask(_WHO, *arguments), connection.host)
    name, now, *ids = answer.output.split(b"\0")
    return Machine(common.machine_id(ids), os.fsdecode(name), now.decode("ascii", "replace"))
