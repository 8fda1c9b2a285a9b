"""What a status says of a repository: its sets, what is wrong, what is late."""

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
        image: which.
        place: where a rotation has put it; empty for one that no rotation has made.
        number: of the backup; None where it is not known.
        started: when its backup began, in ISO 8601.
        age: the seconds since.
        size: the image's bytes, as the receipt says.
        databases: how many are in it.
        verified, drilled: how that went last; None if never.
        faults: what is wrong with it.
        copied: the image that it is a copy of; None if it is none.
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
    """What is known of one repository.

    Attributes:
        id: its own; None where it has none.
        host: where its images are.
        machine: what that calls itself.
        master: its master database.
        sets: its proven sets, the newest first.
        faults: what is wrong with what is kept: exit code 50.
        stale: what is late, or never was: exit code 70.
        notes: what the user may want to know besides.
        leftovers: how many sets without a receipt may be its own.
        room: how many more sets of the newest one's size fit into each image directory.
        free: the bytes that are free in each.
        needed: the bytes that another set of that size needs, and its reserve.
        limits: how old set and drill may be, in seconds; None for any age.
        due: when the next set is promised, in ISO 8601; None where nothing is promised.
        interval: how often one is, in seconds; None likewise.
        coverage: how many databases there are on disk; None where that was not asked.
        attempts: of backups and rotations of it, in the order in which they began; None where no
            ledger tells.
        name: what a fleet file calls it; empty where none does.
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
        """What it is called, fit for a message: by a fleet file, or by its master database."""
        return shown(self.name or self.master)

    def told(self, *findings: Iterable[str]) -> list[str]:
        """Return findings to be told beside those of others: of a fleet with the name."""
        before = f"{self.title}: " if self.name else ""
        return [before + text for texts in findings for text in texts]

    @property
    def last_attempt(self) -> Attempt | None:
        """The last attempt to make a set."""
        return self.attempts[-1] if self.attempts else None

    @property
    def last_success(self) -> Attempt | None:
        """The last attempt that has made one."""
        made = [one for one in self.attempts or () if one.outcome == DONE]
        return made[-1] if made else None

    @property
    def rank(self) -> int:
        """How bad it is: 0 is the worst."""
        return 0 if self.faults else 1 if self.stale else 2

    @property
    def last_drill(self) -> Check | None:
        """The last good drill of any of its sets."""
        sound = [one.drilled for one in self.sets if one.drilled and one.drilled.is_sound]
        return max(sound, key=lambda check: check.at, default=None)


def spoken(seconds: float) -> str:
    """Return a length of time as people say it: ``13 h``, ``2 d``."""
    for unit, length in (("d", 86400), ("h", 3600), ("min", 60)):
        if abs(seconds) >= 2 * length:
            return f"{seconds / length:.0f} {unit}"
    return f"{seconds:.0f} s"


def is_of_the_future(one: SetState) -> bool:
    """Return whether a set's backup began in the future, by the clock of its host as it is now."""
    return one.age < -timestamps.TOLERANCE


def last_attempt(one: Health) -> str:
    """Return how the last attempt went that has made no set; empty if the last one has."""
    last = one.last_attempt
    if last is None or last is one.last_success:
        return ""
    how = f"{last.outcome or 'is running'}{f' ({last.exit_code})' if last.exit_code else ''}"
    return f"of {last.began}: {how}. {shown(last.error or '')}".rstrip()


def place_of(one: SetState) -> str:
    """Return where a set lies, in a word."""
    return one.place or ("copy" if one.copied else posixpath.basename(one.image.directory))
