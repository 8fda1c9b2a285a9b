"""The sets that a recovery card recommends for each repository, in order."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from csf_backup_plugin.image.by_repository import by_repository, newest_first
from csf_backup_plugin.names import shown

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from csf_backup_plugin.image.catalog import ImageSet
    from csf_backup_plugin.image.check_record import Check
    from csf_backup_plugin.image.last_checks import LastChecks

_OLDER = 2  # how many older sets the card names, in case the newest is bad


class Known(NamedTuple):
    """A set, and its last checks.

    Attributes:
        set: the set.
        checks: its last checks, from its records.
    """

    set: ImageSet
    checks: LastChecks

    @property
    def is_at_fault(self) -> bool:
        """Whether its last drill or its last verification has found a fault."""
        return any(check and not check.is_sound for check in self.checks)


class Section(NamedTuple):
    """The sets of one repository.

    Attributes:
        newest: the newest set without faults on record; if all have faults, the newest.
        older: the next older sets, the newest first.
        faulty: the sets newer than `newest`.
        doubts: reasons to doubt `newest`; each is a sentence.
        drilled: the last good drill of any set; None if there was none.
        drilled_set: the set of that drill; None if there was none.
    """

    newest: Known
    older: Sequence[Known]
    faulty: Sequence[Known]
    doubts: Sequence[str]
    drilled: Check | None
    drilled_set: ImageSet | None


def by_section(sets: Sequence[ImageSet], checks: Sequence[LastChecks]) -> list[Section]:
    """Return a section for each repository, sorted by master database.

    Args:
        sets: the sets of a directory.
        checks: the last checks of each set.
    """
    known = {one.image: Known(one, found) for one, found in zip(sets, checks, strict=True)}
    groups = by_repository(sets).values()
    numbered = {one.image for group in groups for one in group}
    rest = [one for one in sets if one.image not in numbered]
    found = [_section([known[one.image] for one in newest_first(group)]) for group in groups]
    found += [_section([known[one.image] for one in group]) for group in _unnumbered(rest)]
    return sorted(found, key=lambda one: one.newest.set.receipt.master)


def _unnumbered(sets: Sequence[ImageSet]) -> Iterator[list[ImageSet]]:
    """Yield the sets without a number, by master database and machine, sorted by clock."""
    groups: dict[tuple[str, str], list[ImageSet]] = {}
    for one in sets:
        key = one.receipt.master, one.receipt.origin.machine
        groups.setdefault(key, []).append(one)
    for group in groups.values():
        yield sorted(group, key=lambda one: one.receipt.started, reverse=True)


def _section(known: Sequence[Known]) -> Section:
    at = next((at for at, one in enumerate(known) if not one.is_at_fault), 0)
    newest = known[at]
    drills = [(one.checks.drilled, one.set) for one in known]
    sound = [(check, one) for check, one in drills if check and check.is_sound]
    last = max(sound, key=lambda pair: pair[0].at, default=(None, None))
    doubts = [*_doubts(newest.set, [one.set for one in known])]
    return Section(newest, known[at + 1 : at + 1 + _OLDER], known[:at], doubts, *last)


def _doubts(newest: ImageSet, sets: Sequence[ImageSet]) -> Iterator[str]:
    """Yield reasons to doubt a set, from its receipt and those of the others."""
    receipt, number = newest.receipt, newest.receipt.origin.number
    if number is None:
        yield "Such sets have no number: which one is the newest is known from their clock alone."
    for one in sets:
        is_same = one.receipt.is_of_backup(receipt)
        if number is not None and one.receipt.origin.number == number and not is_same:
            yield f"Another set says that it is backup {number}, too: {shown(one.image.path)}"
    if not receipt.accepted:
        yield from (f"Suspicious: {shown(str(one))}" for one in receipt.suspicions)
