"""Physical disks below a file system, and those whose failure alone loses it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

#: How many members of an array of Linux's md may fail, by level; of raid1, all but one may.
_MAY_FAIL = {"raid4": 1, "raid5": 1, "raid6": 2, "raid10": 1}


class Disks(NamedTuple):
    """The physical disks of a file system; none where they are not known.

    Attributes:
        all: their names.
        vital: those whose failure alone is the loss of the file system.
    """

    all: frozenset[str] = frozenset()
    vital: frozenset[str] = frozenset()


def disk(name: str) -> Disks:
    """Return a single disk."""
    return Disks(frozenset([name]), frozenset([name]))


def combined(parts: Sequence[Disks], spare: int) -> Disks:
    """Return the disks of a device that is made of several parts.

    A disk may be below several parts: a mirror of two partitions of one disk is lost with the disk.

    Args:
        parts: the disks of each part; if those of one are not known, none of the device are.
        spare: how many parts may fail now.
    """
    if not all(part.all for part in parts):
        return Disks()
    disks = frozenset[str]().union(*(part.all for part in parts))
    vital = (name for name in disks if sum(name in part.vital for part in parts) > spare)
    return Disks(disks, frozenset(vital))


def spare(level: str, members: str, missing: str) -> int:
    """Return how many members of an array may fail now; 0 if it is not a redundant array.

    Args:
        level: the array's level, from ``md/level`` in sysfs.
        members: how many it should have, from ``md/raid_disks``.
        missing: how many of these have failed already, from ``md/degraded``.
    """
    if not (members.isdecimal() and missing.isdecimal()):
        return 0
    may_fail = int(members) - 1 if level == "raid1" else _MAY_FAIL.get(level, 0)
    return max(0, may_fail - int(missing))


def parse(text: str) -> Disks:
    """Return the disks that a host's words describe: parts first, then what is made of them.

    A disk is given by its name; a device that is made of the N parts before it, by
    ``N/level/members/missing``.
    """
    stack: list[Disks] = []
    for word in text.split():
        count, *array = word.split("/")
        if array:
            at = len(stack) - int(count)
            stack[at:] = [combined(stack[at:], spare(*array))]
        else:
            stack.append(disk(word))
    return stack[0] if stack else Disks()
