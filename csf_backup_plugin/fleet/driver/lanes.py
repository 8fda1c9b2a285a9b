"""How many jobs a host and a disk bear at once, and which one starts next: pure functions.

A lane is a text: a machine, or a machine and what is taken for one of its disks. Before a job logs
in, nothing is known of the host's disks but the paths in the fleet file. So two directories count
as on one disk if their paths begin alike: in the first part, and below /mnt and /media in the
second. That keeps jobs apart that might run at once; it never lets two write to one directory.
"""

from __future__ import annotations

import collections
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from csf_backup_plugin.fleet.driver.job import JobSpec

#: The jobs that run at once on a host, and on a disk.
PER_HOST, PER_DISK = 2, 1

_HOST, _DISK = "host ", "disk "
_OF_MOUNTS = ("mnt", "media")  # below which each directory is a disk by itself


def host_lane(machine: str) -> str:
    """Return the lane of a machine."""
    return _HOST + machine


def disk_lane(machine: str, path: str) -> str:
    """Return the lane of the disk that an absolute path is taken to be on."""
    parts = path.split("/")[1:]
    count = 2 if parts[0] in _OF_MOUNTS else 1
    return f"{_DISK}{machine}:/{'/'.join(parts[:count])}"


def startable(waiting: Sequence[JobSpec], taken: Mapping[str, int]) -> JobSpec | None:
    """Return the job that starts next; None if all have to wait for another one's end.

    Args:
        waiting: the longest waiting first. None overtakes one that waits for the same disk.
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
