"""Which job starts next: the one that has waited longest and fits its host and disks."""

from __future__ import annotations

import collections
import random
from typing import TYPE_CHECKING

import hypothesis
import pytest
from fleets import spec
from hypothesis import strategies

from csf_backup_plugin.fleet.driver.lanes import (
    PER_DISK,
    PER_HOST,
    disk_lane,
    host_lane,
    startable,
)

if TYPE_CHECKING:
    from csf_backup_plugin.fleet.driver.job import JobSpec

NONE = collections.Counter[str]()


@pytest.mark.parametrize(
    ("path", "disk"),
    [
        ("/backup1/lib", "/backup1"),
        ("/backup1", "/backup1"),
        ("/mnt/one/lib", "/mnt/one"),
        ("/mnt", "/mnt"),
        ("/media/usb/a/b", "/media/usb"),
    ],
)
def test_a_disk_is_the_beginning_of_a_path(path: str, disk: str) -> None:
    """It is the first part, or the first two if disks are mounted side by side."""
    assert disk_lane("db1:22", path) == f"disk db1:22:{disk}"


def test_the_first_that_fits_starts() -> None:
    """A busy host delays only its own jobs."""
    a, b = spec("a", "db1"), spec("b", "db2")
    assert startable([a, b], NONE) is a
    assert startable([a, b], {host_lane("db1"): PER_HOST}) is b
    assert startable([a], {host_lane("db1"): PER_HOST}) is None
    assert startable([], NONE) is None


def test_none_overtakes_one_that_waits_for_its_disk() -> None:
    """Otherwise a job that needs two disks might wait for ever."""
    both = spec("both", lanes=["disk 1", "disk 2"])
    one, other = spec("one", lanes=["disk 2"]), spec("other", lanes=["disk 3"])
    assert startable([both, one, other], {"disk 1": PER_DISK}) is other


LANES = strategies.sets(
    strategies.sampled_from(["host a", "host b", "disk a:/1", "disk a:/2", "disk b:/1"]), min_size=1
)


@hypothesis.given(strategies.lists(LANES, max_size=12), strategies.integers())
def test_the_limits_hold_and_all_have_their_turn(lanes: list[set[str]], seed: int) -> None:
    """Jobs may need anything, and end in any order."""
    waiting = [spec(str(number), lanes=sorted(each)) for number, each in enumerate(lanes)]
    dice = random.Random(seed)
    running: list[JobSpec] = []
    while waiting or running:
        taken = collections.Counter(lane for one in running for lane in one.lanes)
        limits = {"host": PER_HOST, "disk": PER_DISK}
        assert all(count <= limits[lane.split()[0]] for lane, count in taken.items())
        if one := startable(waiting, taken):
            waiting.remove(one)
            running.append(one)
        else:
            running.pop(dice.randrange(len(running)))
