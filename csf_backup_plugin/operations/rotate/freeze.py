"""When to withhold deletions: if sources may be corrupt, old sets may be the only good ones."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

from csf_backup_plugin import timestamps
from csf_backup_plugin.names import listed

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from csf_backup_plugin.image.check_record import Check
    from csf_backup_plugin.image.path import ImagePath

_LEAST = 70  # percent of the last trusted set's size


class Witness(NamedTuple):
    """What is known about a proven set of the repository, in any directory.

    Attributes:
        image: its image.
        number: the number of the backup, within the repository.
        size: the image's size in bytes.
        databases: the databases in it, by their names in a manifest, which a move of the repository
            does not change.
        suspicions: the suspicions in its receipt; empty if there are none.
        is_accepted: whether it was made with -yes.
        drilled: its last drill; None if there was none.
        verified: its last verification; None if there was none.
    """

    image: ImagePath
    number: int
    size: int
    databases: frozenset[str]
    suspicions: tuple[str, ...]
    is_accepted: bool
    drilled: Check | None
    verified: Check | None

    @property
    def is_trusted(self) -> bool:
        """Whether it has no suspicions, or the user or a good drill has settled them."""
        is_restorable = self.drilled is not None and self.drilled.is_sound
        return not self.suspicions or self.is_accepted or is_restorable


def suspicions(
    databases: frozenset[str], size: int, last: Witness | None, dropped: frozenset[str]
) -> tuple[str, ...]:
    """Return the suspicions about a new set, in words that follow its name.

    Args:
        databases: the databases in it, by their names in a manifest.
        size: its image's size in bytes.
        last: the last trusted set; None if there is none.
        dropped: the databases that were dropped from the manifest.
    """
    if last is None:
        return ()
    found = []
    if lacking := sorted(last.databases - databases - dropped, key=os.fsencode):
        found.append(f"lacks {len(lacking):,} of the databases in {last.image}: {listed(lacking)}")
    if size * 100 < last.size * _LEAST:
        found.append(
            f"has {size:,} bytes, more than {100 - _LEAST} % less than the {last.size:,} of "
            f"{last.image}"
        )
    return tuple(found)


def last_trusted(witnesses: Collection[Witness]) -> Witness | None:
    """Return the newest trusted set, or None."""
    trusted = (one for one in witnesses if one.is_trusted)
    return max(trusted, key=lambda one: (one.number, one.image.name), default=None)


def reasons_to_freeze(witnesses: Collection[Witness], now: str) -> list[str]:
    """Return why nothing may be deleted, and what ends that; empty if sets may be deleted.

    Args:
        witnesses: all proven sets of one repository.
        now: the host's clock, in ISO 8601 and UTC.
    """
    ordered = sorted(witnesses, key=lambda one: (-one.number, one.image.name))
    return [*_suspicious(ordered), *_failed(ordered, now)]


def _suspicious(ordered: Collection[Witness]) -> Iterator[str]:
    """Yield the suspicions about the newest set, or about each with the highest number."""
    highest = max((one.number for one in ordered), default=None)
    for one in ordered:
        if one.number == highest and not one.is_trusted:
            yield (
                f"{one.image} {'; it '.join(one.suspicions)}; a good drill of it, or one run with "
                "-yes, ends this"
            )


def _failed(ordered: Collection[Witness], now: str) -> Iterator[str]:
    """Yield the failed checks that are not settled.

    A good verification settles only the failed one of the same image, whose record it replaces: it
    shows that an image has not changed, not that it can be restored. A good drill of an older set
    does not show that the sources are sound now.
    """
    accepted = max((one.number for one in ordered if one.is_accepted), default=None)
    # By number: when the last good drill of a set with that number or a higher one was.
    drills: dict[int, str] = {}
    last = ""
    for one in ordered:
        if one.drilled and one.drilled.is_sound and not timestamps.is_future(one.drilled.at, now):
            last = max(last, one.drilled.at)
        drills[one.number] = last
    for one in ordered:
        if accepted is not None and one.number < accepted:
            continue
        for what, check in (("drill", one.drilled), ("verification", one.verified)):
            if check and not check.is_sound and check.at >= drills[one.number]:
                yield f"the last {what} of {one.image} failed at {check.at}; {_end(check, now)}"


def _end(check: Check, now: str) -> str:
    """Return what settles a failed check; for one dated in the future, a drill cannot."""
    if timestamps.is_future(check.at, now):
        return "that is in the future, so one run with -yes ends this"
    return "a good drill of it or of a newer set, or one run with -yes, ends this"
