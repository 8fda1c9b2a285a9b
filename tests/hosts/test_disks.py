"""The physical disks below a file system, found in trees like sysfs."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from csf_backup_plugin.hosts.local import disks
from csf_backup_plugin.hosts.local.disks import SYSFS, disks_below
from csf_backup_plugin.hosts.raid import Disks, disk

if TYPE_CHECKING:
    from pyfakefs.fake_filesystem import FakeFilesystem


class Sysfs:
    """Block devices in a simulated /sys."""

    def __init__(self, fs: FakeFilesystem) -> None:
        self.fs = fs

    def device(self, number: tuple[int, int], path: str, *slaves: str) -> int:
        """Add a device; return its number."""
        entry = f"/sys/devices/{path}"
        self.fs.create_dir(entry)
        self.fs.create_symlink(f"{SYSFS}/{number[0]}:{number[1]}", entry)
        if "/" in path:
            self.fs.create_file(f"{entry}/partition")
        for slave in slaves:
            self.fs.create_symlink(f"{entry}/slaves/{os.path.basename(slave)}", slave)
        return os.makedev(*number)


@pytest.fixture
def sysfs(fs: FakeFilesystem) -> Sysfs:
    """Return an empty /sys."""
    fs.create_dir(SYSFS)
    return Sysfs(fs)


def test_a_disk_is_itself_and_a_partition_is_on_its_disk(sysfs: Sysfs) -> None:
    """Two partitions are on the same disk."""
    assert disks_below(sysfs.device((8, 0), "sda")) == disk("sda")
    assert disks_below(sysfs.device((8, 1), "sda/sda1")) == disk("sda")


def test_a_disk_with_an_empty_slaves_directory_is_itself(sysfs: Sysfs) -> None:
    """Plain disks have one, too."""
    sysfs.fs.create_dir("/sys/devices/sda/slaves")
    sysfs.fs.create_symlink(f"{SYSFS}/8:0", "/sys/devices/sda")
    assert disks_below(os.makedev(8, 0)) == disk("sda")


def volume(sysfs: Sysfs, **array: str) -> Disks:
    """Return the disks of an LVM volume on an md array of partitions of two disks."""
    for letter, minor in (("a", 0), ("b", 16)):
        sysfs.device((8, minor), f"sd{letter}")
        sysfs.device((8, minor + 1), f"sd{letter}/sd{letter}1")
    sysfs.device((9, 0), "md0", "/sys/devices/sda/sda1", "/sys/devices/sdb/sdb1")
    for name, text in array.items():
        sysfs.fs.create_file(f"/sys/devices/md0/md/{name}", contents=f"{text}\n")
    return disks_below(sysfs.device((253, 0), "dm-0", "/sys/devices/md0"))


def test_a_volume_is_on_every_disk_it_is_made_of(sysfs: Sysfs) -> None:
    """The failure of any disk destroys it."""
    both = frozenset(["sda", "sdb"])
    assert volume(sysfs) == Disks(both, both)


@pytest.mark.parametrize(
    ("array", "lost"),
    [
        ({"level": "raid1", "raid_disks": "2", "degraded": "0"}, False),
        ({"level": "raid5", "raid_disks": "2 (3)", "degraded": "0"}, False),
        ({"level": "raid1", "raid_disks": "2", "degraded": "1"}, True),
        ({"level": "raid1", "raid_disks": "2"}, True),
        ({"level": "raid0", "raid_disks": "2"}, True),
        ({"level": "linear", "raid_disks": "2", "degraded": "0"}, True),
    ],
)
def test_a_redundant_array_is_lost_with_no_single_disk(
    sysfs: Sysfs, array: dict[str, str], *, lost: bool
) -> None:
    """This holds while it is complete."""
    both = frozenset(["sda", "sdb"])
    assert volume(sysfs, **array) == Disks(both, both if lost else frozenset())


def test_a_loop_device_is_where_its_file_is(sysfs: Sysfs, fs: FakeFilesystem) -> None:
    """A file system in a file is on the disk of the file."""
    image = fs.create_file("/images/disk.img")
    device = sysfs.device((7, 0), "loop0")
    fs.create_file("/sys/devices/loop0/loop/backing_file", contents="/images/disk.img\n")
    assert disks_below(device) == Disks()
    major, minor = os.major(image.stat_result.st_dev), os.minor(image.stat_result.st_dev)
    sysfs.device((major, minor), "sdz")
    assert disks_below(device) == disk("sdz")


def test_a_loop_device_whose_file_is_gone_is_unknown(sysfs: Sysfs, fs: FakeFilesystem) -> None:
    """A container may see the device, but not the file."""
    device = sysfs.device((7, 0), "loop0")
    fs.create_file("/sys/devices/loop0/loop/backing_file", contents="/gone (deleted)\n")
    assert disks_below(device) == Disks()


def test_a_device_that_goes_while_we_look_is_unknown(
    sysfs: Sysfs, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The backup does not fail."""

    def gone(entry: str) -> Disks:
        raise FileNotFoundError(entry)

    device = sysfs.device((8, 0), "sda")
    monkeypatch.setattr(disks, "_disks", gone)
    assert disks_below(device) == Disks()


def test_what_lies_partly_on_something_unknown_is_unknown(sysfs: Sysfs, fs: FakeFilesystem) -> None:
    """An incomplete answer would be wrong."""
    sysfs.device((8, 0), "sda")
    sysfs.device((7, 0), "loop0")
    fs.create_file("/sys/devices/loop0/loop/backing_file", contents="/gone\n")
    mirror = sysfs.device((9, 0), "md0", "/sys/devices/sda", "/sys/devices/loop0")
    assert disks_below(mirror) == Disks()


def test_a_file_system_without_a_block_device_is_unknown(sysfs: Sysfs) -> None:
    """Examples are tmpfs, overlay, NFS and btrfs."""
    assert disks_below(os.makedev(0, 42)) == Disks()
