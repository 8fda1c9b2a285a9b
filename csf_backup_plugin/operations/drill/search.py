"""The result of a search for the last good image, and what it says about the databases."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from csf_backup_plugin.advised_commands import restore_command
from csf_backup_plugin.errors import NOTHING_LEFT, FaultFound, NotRestorable
from csf_backup_plugin.names import shown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from csf_backup_plugin.errors import BackupError
    from csf_backup_plugin.image.catalog import ImageSet
    from csf_backup_plugin.image.latest import Newest
    from csf_backup_plugin.operations.drill import Drill
    from csf_backup_plugin.operations.drill.request import LastGoodRequest

_ANEW = "Look into the databases; once they are sound, make a new backup and drill that."


class Tried(NamedTuple):
    """An image that was drilled.

    Attributes:
        set: the image set.
        drill: its drill; None if the drill failed.
        fault: why the drill failed; None if it succeeded.
    """

    set: ImageSet
    drill: Drill | None = None
    fault: FaultFound | None = None

    @property
    def backup(self) -> str:
        """The backup's number and time, for messages."""
        receipt = self.set.receipt
        return f"backup {receipt.origin.number} (begun {receipt.started})"

    @property
    def findings(self) -> tuple[str, ...]:
        """What is wrong with the image."""
        return self.fault.findings if self.fault else ()


class Search(NamedTuple):
    """A finished search.

    Attributes:
        request: the command's validated options.
        newest: the newest image, and reasons why it may not be the newest.
        tried: the images that were drilled, the newest first; only the last one may be sound.
        gone: a sentence about each image that was not drilled, since it is gone or locked.
        seconds: how long it took.
        is_unfilled: whether the directory has no image yet; then the newest one is in another
            directory of the rotation, and none was drilled.
    """

    request: LastGoodRequest
    newest: Newest
    tried: Sequence[Tried]
    gone: Sequence[str]
    seconds: float
    is_unfilled: bool = False

    @property
    def good(self) -> Tried | None:
        """The last good image; None if there is none."""
        last = self.tried[-1] if self.tried else None
        return last if last and last.drill else None

    @property
    def bad(self) -> Sequence[Tried]:
        """The images that were drilled and are not sound, the newest first."""
        return [one for one in self.tried if one.fault]

    @property
    def corrupt_since(self) -> tuple[Tried, Tried] | None:
        """The last good backup, and the first later one with corrupt databases.

        None if there is no such pair. An image that was changed after its backup does not count,
        since it says nothing about the databases.
        """
        good = self.good
        if good is None:
            return None
        for one in reversed(self.bad):
            if isinstance(one.fault, NotRestorable) and _number(one) > _number(good):
                return good, one
        return None

    @property
    def conclusion(self) -> str:
        """The result of the search, in a sentence without its full stop."""
        master = shown(self.newest.sets[0].receipt.master)
        good, since = self.good, self.corrupt_since
        if self.is_unfilled:
            return f"Nothing was drilled. The newest image of {master} is {self.newest.image}"
        if good is None:
            return f"No good image of {master} was found; {len(self.bad):,} were drilled"
        which = f"{good.set.image}, {good.backup}"
        if not self.bad:
            doubt = "; whether it is the newest is not certain" if self.newest.findings else ""
            return f"The newest image of {master} is good: {which}{doubt}"
        if since is None:
            what = "newer ones were damaged since then, and say nothing about the databases"
        else:
            what = f"corrupt since between {since[0].backup} and {since[1].backup}"
        return f"The last good image of {master} is {which}; {what}"

    @property
    def warnings(self) -> list[str]:
        """The warnings."""
        made = self.good.drill if self.good else None
        return [*self.newest.warnings, *self.gone, *(made.warnings if made else ())]

    @property
    def problem(self) -> BackupError | None:
        """The error with which the command ends; None if it ends with 0."""
        found = (f"{one.set.image}: {text}" for one in self.tried for text in one.findings)
        findings = [*found, *self.newest.findings]
        if self.is_unfilled or (self.good and not findings):
            return None
        what = f"{self.conclusion}."
        return FaultFound(what, self._next_step, findings or self.gone, self._left)

    @property
    def _left(self) -> str:
        """What each drill has left, including copies that could not be removed."""
        lines = [f"{one.set.image}: {one.fault.left}" for one in self.tried if one.fault]
        if self.good:
            lines.append(f"{self.good.set.image}: Only the record of its drill was written.")
        return "\n".join(lines) or NOTHING_LEFT

    @property
    def _next_step(self) -> str:
        good = self.good
        if good is None:
            return f"Look for older images elsewhere. {_ANEW}"
        if not self.bad:
            return "Look at the images that are named, and make a new backup."
        restore = restore_command(good.set.receipt.master, good.set.image.name)
        return f"{_ANEW} To restore the last good image: {restore}"


def _number(one: Tried) -> int:
    return one.set.receipt.origin.number or 0
