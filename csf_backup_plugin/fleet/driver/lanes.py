"""How many jobs may use a host and a disk at once, and which job starts next.

A lane is a text that names a machine, or a machine and one of its disks. Before a job logs in, only
the paths in the fleet file are known. So two directories count as on one disk if the first part of
their paths is the same; below /mnt and /media, the second part must be the same, too. This may keep
jobs apart that could run at once, but never lets two jobs write to one directory.
"""

from __future__ import annotations

import collections
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from csf_backup_plugin.fleet.driver.job import JobSpec

#: How many jobs may run at once on a host, and on a disk.
PER_HOST, PER_DISK = 2, 1

_HOST, _DISK = "host ", "disk "
_OF_MOUNTS = ("mnt", "media")  # each directory below these counts as a disk


def host_lane(machine: str) -> str:
    """Return the lane of a machine."""
    return _HOST + machine


def disk_lane(machine: str, path: str) -> str:
    """Return the lane of the disk that an absolute path is on."""
    parts = path.split("/")[1:]
    count = 2 if parts[0] in _OF_MOUNTS else 1
    return f"{_DISK}{machine}:/{'/'.join(parts[:count])}"


def startable(waiting: Sequence[JobSpec], taken: Mapping[str, int]) -> JobSpec | None:
    """Return the job to start next; None if all must wait for the end of another job.

    Args:
        waiting: the waiting jobs, the longest waiting first. No job overtakes one that waits for
            the same disk.
        taken: how many jobs run in each lane.
    """
    held = collections.Counter(taken)
    for spec in waiting:
        if all(held[lane] < _limit(lane) for lane in spec.lanes):
            return spec
        held.update(lane for lane in spec.lanes if lane.startswith(_DISK))
    return None


def _limit(lane: str) -> int:
    return PER_HOST if lane.startswith(_HOST) else PER_DISK
