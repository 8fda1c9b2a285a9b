"""The health of a repository's backups: its sets, what is wrong, what is late."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING, NamedTuple

from csf_backup_plugin import timestamps
from csf_backup_plugin.attempts.outcomes import DONE
from csf_backup_plugin.names import shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from csf_backup_plugin.attempts.reading import Attempt
    from csf_backup_plugin.image.check_record import Check
    from csf_backup_plugin.image.path import ImagePath


class SetState(NamedTuple):
    """One proven set.

    Attributes:
        image: its image.
        place: its place; empty if no rotation made it.
        number: the number of the backup; None if it is not known.
        started: when its backup began, in ISO 8601.
        age: the seconds since then.
        size: the image's size in bytes, from the receipt.
        databases: how many databases are in it.
        verified, drilled: its last verification and drill; None if there was none.
        faults: what is wrong with it.
        copied: the image that it is a copy of; None if it is not a copy.
    """

    image: ImagePath
    place: str
    number: int | None
    started: str
    age: float
    size: int
    databases: int
    verified: Check | None
    drilled: Check | None
    faults: tuple[str, ...]
    copied: ImagePath | None = None


class Health(NamedTuple):
    """The health of one repository's backups.

    Attributes:
        id: the repository's id; None if it is not known.
        host: the host of its images.
        machine: the name that the host has for itself.
        master: its master database.
        sets: its proven sets, the newest first.
        faults: the faults of its sets; they cause exit code 50.
        stale: what is late or was never done; it causes exit code 70.
        notes: what else the user may want to know.
        leftovers: how many sets without a receipt may be the repository's.
        room: how many more sets of the newest one's size fit into each image directory.
        free: the free bytes in each image directory.
        needed: the bytes that another set of the newest one's size needs, with the reserve.
        limits: how old the newest set and the last good drill may be, in seconds; None for any age.
        due: when the next set is promised, in ISO 8601; None if nothing is promised.
        interval: the promised time between two sets, in seconds; None if nothing is promised.
        coverage: how many databases there are on disk; None if that is not known.
        attempts: the attempts to back it up, in the order in which they began; None if there is no
            ledger.
        name: its name in a fleet file; empty without one.
    """

    id: str | None
    host: str
    machine: str
    master: str
    sets: Sequence[SetState]
    faults: Sequence[str] = ()
    stale: Sequence[str] = ()
    notes: Sequence[str] = ()
    leftovers: int = 0
    room: Mapping[str, int] = {}
    free: Mapping[str, int] = {}
    needed: int = 0
    limits: tuple[float | None, float | None] = (None, None)
    due: str | None = None
    interval: float | None = None
    coverage: int | None = None
    attempts: Sequence[Attempt] | None = None
    name: str = ""

    @property
    def title(self) -> str:
        """Its name in a fleet file, or else its master database, for messages."""
        return shown(self.name or self.master)

    def with_name(self, *findings: Iterable[str]) -> list[str]:
        """Return findings for a list of several repositories; a fleet's begin with the name."""
        before = f"{self.title}: " if self.name else ""
        return [before + text for texts in findings for text in texts]

    @property
    def last_attempt(self) -> Attempt | None:
        """The last attempt to make a set."""
        return self.attempts[-1] if self.attempts else None

    @property
    def last_success(self) -> Attempt | None:
        """The last attempt that has made a set."""
        made = [one for one in self.attempts or () if one.outcome == DONE]
        return made[-1] if made else None

    @property
    def rank(self) -> int:
        """How bad its health is: 0 is the worst."""
        return 0 if self.faults else 1 if self.stale else 2

    @property
    def last_drill(self) -> Check | None:
        """The last good drill of any of its sets."""
        sound = [one.drilled for one in self.sets if one.drilled and one.drilled.is_sound]
        return max(sound, key=lambda check: check.at, default=None)


def spoken(seconds: float) -> str:
    """Return a length of time, rounded: ``13 h``, ``2 d``."""
    for unit, length in (("d", 86400), ("h", 3600), ("min", 60)):
        if abs(seconds) >= 2 * length:
            return f"{seconds / length:.0f} {unit}"
    return f"{seconds:.0f} s"


def is_of_the_future(one: SetState) -> bool:
    """Return whether a set's backup began in the future, by the current clock of its host."""
    return one.age < -timestamps.TOLERANCE


def last_attempt(one: Health) -> str:
    """Return the outcome of the last attempt if it has made no set; empty if it has."""
    last = one.last_attempt
    if last is None or last is one.last_success:
        return ""
    how = f"{last.outcome or 'is running'}{f' ({last.exit_code})' if last.exit_code else ''}"
    return f"of {last.began}: {how}. {shown(last.error or '')}".rstrip()


def place_of(one: SetState) -> str:
    """Return the place of a set, in a word."""
    return one.place or ("copy" if one.copied else posixpath.basename(one.image.directory))
