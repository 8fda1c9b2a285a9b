"""Which disks a file system cannot lose."""

from __future__ import annotations

import pytest

from csf_backup_plugin.hosts.raid import Disks, combined, disk, parse, spare


@pytest.mark.parametrize(
    ("level", "members", "missing", "expected"),
    [
        ("raid1", "2", "0", 1),
        ("raid1", "3", "0", 2),
        ("raid1", "3", "1", 1),
        ("raid1", "1", "0", 0),
        ("raid4", "3", "0", 1),
        ("raid5", "3", "0", 1),
        ("raid5", "3", "1", 0),
        ("raid6", "4", "0", 2),
        ("raid6", "4", "1", 1),
        ("raid6", "4", "3", 0),
        ("raid10", "4", "0", 1),
        ("raid0", "2", "0", 0),
        ("linear", "2", "", 0),
        ("raid1", "", "0", 0),
        ("", "", "", 0),
    ],
)
def test_so_many_members_of_an_array_may_fail(
    level: str, members: str, missing: str, expected: int
) -> None:
    """An unknown level is not redundant."""
    assert spare(level, members, missing) == expected


@pytest.mark.parametrize(
    ("text", "disks", "vital"),
    [
        ("", "", ""),
        ("sda", "a", "a"),
        ("sda sdb 2/raid1/2/0", "ab", ""),
        ("sda sdb 2/raid1/2/1", "ab", "ab"),
        ("sda sdb 2///", "ab", "ab"),
        # A mirror of two partitions of one disk.
        ("sda sda 2/raid1/2/0", "a", "a"),
        ("sda sda sdb 3/raid1/3/0", "ab", ""),
        # A volume on an array and a disk; a mirror of two stripes that share a disk.
        ("sda sdb 2/raid1/2/0 sdc 2///", "abc", "c"),
        ("sda sdb 2/raid0/2/ sdb sdc 2/raid0/2/ 2/raid1/2/0", "abc", "b"),
    ],
)
def test_a_disk_is_vital_if_its_failure_alone_is_the_loss(
    text: str, disks: str, vital: str
) -> None:
    """It does not matter how often it occurs."""
    names = [frozenset(f"sd{letter}" for letter in letters) for letters in (disks, vital)]
    assert parse(text) == Disks(*names)


def test_what_is_partly_unknown_is_unknown() -> None:
    """An incomplete answer would be wrong, also for a mirror."""
    assert combined([disk("sda"), Disks()], 1) == Disks()
