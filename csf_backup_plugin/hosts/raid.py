"""Physical disks below a file system, and which of them it cannot lose."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

#: How many members of an array of Linux's md may fail, whichever they are; of raid1, all but one.
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
    """Return the disks of what is made of several parts.

    A disk may be below more than one: a mirror of two partitions of it is lost with it.

    Args:
        parts: the disks of each; where those of one are not known, none are.
        spare: how many parts may fail now.
    """
    if not all(part.all for part in parts):
        return Disks()
    disks = frozenset[str]().union(*(part.all for part in parts))
    vital = (name for name in disks if sum(name in part.vital for part in parts) > spare)
    return Disks(disks, frozenset(vital))


def spare(level: str, members: str, missing: str) -> int:
    """Return how many members of an array may fail now; none of what is no redundant array.

    Args:
        level: of the array, as ``md/level`` in sysfs tells it.
        members: how many it should have, as ``md/raid_disks`` tells it.
        missing: how many of these have failed already, as ``md/degraded`` tells it.
    """
    if not (members.isdecimal() and missing.isdecimal()):
        return 0
    may_fail = int(members) - 1 if level == "raid1" else _MAY_FAIL.get(level, 0)
    return max(0, may_fail - int(missing))


def parse(text: str) -> Disks:
    """Return what a host tells in words: parts first, then what is made of them.

    A disk is its name; what is made of the N parts before it is ``N/level/members/missing``.
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
