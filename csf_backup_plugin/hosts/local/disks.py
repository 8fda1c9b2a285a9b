"""Which physical disks a file system lies on, from Linux's sysfs.

Partitions are followed to their disk, device-mapper and md devices to what they are made of
(``slaves``), loop devices to the file system that holds their backing file. A device without an
entry in sysfs (tmpfs, overlay, NFS, btrfs) is unknown, and so is everything above it. Redundancy is
known of md's arrays; it is not known of LVM's own, nor of those that a controller hides.
"""

from __future__ import annotations

import os

from csf_backup_plugin.hosts.raid import Disks, combined, disk, spare

SYSFS = "/sys/dev/block"


def disks_below(device: int) -> Disks:
    """Return the physical disks below a device, by the kernel's names, such as ``sda``.

    Args:
        device: a device number, as `os.stat_result.st_dev` gives it.
    """
    entry = os.path.realpath(f"{SYSFS}/{os.major(device)}:{os.minor(device)}")
    try:
        return _disks(entry) if os.path.isdir(entry) else Disks()
    except OSError:  # a device that was removed meanwhile, or a file in another mount namespace
        return Disks()


def _disks(entry: str) -> Disks:
    if os.path.exists(f"{entry}/partition"):
        return _disks(os.path.dirname(entry))
    if os.path.exists(backing := f"{entry}/loop/backing_file"):
        return disks_below(os.stat(_text(backing)).st_dev)
    parts = os.listdir(slaves) if os.path.isdir(slaves := f"{entry}/slaves") else []
    if not parts:
        return disk(os.path.basename(entry))
    below = [_disks(os.path.realpath(f"{entry}/slaves/{part}")) for part in parts]
    return combined(below, spare(*map(_first_word, _array(entry))))


def _array(entry: str) -> list[str]:
    """Return what md says about a device; nothing if the device is not an array of md."""
    paths = [f"{entry}/md/{name}" for name in ("level", "raid_disks", "degraded")]
    return [_text(path) if os.path.exists(path) else "" for path in paths]


def _first_word(text: str) -> str:
    """Return the first word: while an array is reshaped, the new number comes first."""
    return text.partition(" ")[0]


def _text(path: str) -> str:
    with open(path, "rb") as file:
        return os.fsdecode(file.read()).rstrip("\n")
