"""When deletions are withheld: the sources may be corrupt, and older sets the only good ones."""

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
    """What is known of a proven set of the repository, wherever it lies.

    Attributes:
        image: its image.
        number: of the backup, within the repository.
        size: the image's bytes.
        databases: all that are in it, as a manifest records them: a move changes no name.
        suspicions: what its receipt says of it; empty if nothing.
        is_accepted: whether it was made under -yes.
        drilled: its last drill; None if there was none.
        verified: its last verification, likewise.
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
        """Whether nothing was suspicious in it, or somebody or a good drill has answered that."""
        is_restorable = self.drilled is not None and self.drilled.is_sound
        return not self.suspicions or self.is_accepted or is_restorable


def suspicions(
    databases: frozenset[str], size: int, last: Witness | None, dropped: frozenset[str]
) -> tuple[str, ...]:
    """Return what is suspicious in a new set, in words that follow its name.

    Args:
        databases: all that are in it, as a manifest records them.
        size: its image's bytes.
        last: the last trusted set; None if there is none.
        dropped: the databases that the manifest was told to drop since.
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
    """Return the newest set that is trusted, or None."""
    trusted = (one for one in witnesses if one.is_trusted)
    return max(trusted, key=lambda one: (one.number, one.image.name), default=None)


def reasons_to_freeze(witnesses: Collection[Witness], now: str) -> list[str]:
    """Return why nothing may be deleted, and what ends that; empty if deletions may go on.

    Args:
        witnesses: all proven sets of one repository.
        now: the host's clock, in ISO 8601 and UTC.
    """
    ordered = sorted(witnesses, key=lambda one: (-one.number, one.image.name))
    return [*_suspicious(ordered), *_failed(ordered, now)]


def _suspicious(ordered: Collection[Witness]) -> Iterator[str]:
    """Yield what is suspicious in the newest set, or in each that has its number."""
    highest = max((one.number for one in ordered), default=None)
    for one in ordered:
        if one.number == highest and not one.is_trusted:
            yield (
                f"{one.image} {'; it '.join(one.suspicions)}; a good drill of it, or one run with "
                "-yes, ends this"
            )


def _failed(ordered: Collection[Witness], now: str) -> Iterator[str]:
    """Yield the failed checks that nothing has answered.

    A good verification answers none but that of the same image, whose record it replaces: it tells
    that an image has not changed, and not that it can be restored. A good drill of an older set
    tells nothing of the sources as they are now.
    """
    accepted = max((one.number for one in ordered if one.is_accepted), default=None)
    # The last good drill of any set with that number or a higher one.
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
    """Return what answers a failed check; no drill can be later than one dated in the future."""
    if timestamps.is_future(check.at, now):
        return "that is in the future, so one run with -yes ends this"
    return "a good drill of it or of a newer set, or one run with -yes, ends this"
