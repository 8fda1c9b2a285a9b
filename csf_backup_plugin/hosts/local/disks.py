"""Which physical disks a file system lies on, as Linux's sysfs tells it.

Partitions are followed to their disk, device-mapper and md devices to what they are made of
(``slaves``), loop devices to the file system that holds their backing file. A device without an
entry in sysfs (tmpfs, overlay, NFS, btrfs) is unknown, and so is everything above it.
"""

from __future__ import annotations

import os

SYSFS = "/sys/dev/block"


def disks_below(device: int) -> frozenset[str]:
    """Return the names of the physical disks below a device.

    Args:
        device: a device number, as `os.stat_result.st_dev` gives it.

    Returns:
        The kernel's names, such as ``sda``; none where it cannot be known.
    """
    entry = os.path.realpath(f"{SYSFS}/{os.major(device)}:{os.minor(device)}")
    try:
        return _disks(entry) if os.path.isdir(entry) else frozenset()
    except OSError:  # a device that went meanwhile, or a file in another mount namespace
        return frozenset()


def _disks(entry: str) -> frozenset[str]:
    if os.path.exists(f"{entry}/partition"):
        return _disks(os.path.dirname(entry))
    if os.path.exists(backing := f"{entry}/loop/backing_file"):
        return _disks_of_file(backing)
    parts = os.listdir(slaves) if os.path.isdir(slaves := f"{entry}/slaves") else []
    if not parts:
        return frozenset([os.path.basename(entry)])
    below = [_disks(os.path.realpath(f"{entry}/slaves/{part}")) for part in parts]
    return frozenset().union(*below) if all(below) else frozenset()


def _disks_of_file(backing: str) -> frozenset[str]:
    with open(backing, encoding="utf-8", errors="surrogateescape") as file:
        path = file.read().rstrip("\n")
    return disks_below(os.stat(path).st_dev)
