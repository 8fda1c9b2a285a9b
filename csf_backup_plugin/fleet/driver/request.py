"""The options of a fleet's driver, checked before anything is started."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from typing import TYPE_CHECKING

from csf_backup_plugin.errors import UsageError
from csf_backup_plugin.fleet.driver.commands import ACTIONS, OWN
from csf_backup_plugin.fleet.file import read_fleet
from csf_backup_plugin.names import listed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from csf_backup_plugin.fleet.file import Fleet

_SLOT = "-slot"


@dataclass(frozen=True)
class FleetRequest:
    """An action for the repositories of a fleet.

    Attributes:
        fleet: the repositories.
        action: one of `commands.ACTIONS`.
        given: the options that every job gets.
        jobs: how many jobs may run at once.
        executor: the executor that runs the jobs, as ``module:callable``; None for threads.
        limit: how long to wait for the end of a job, in seconds.
        now: the local time of the command.
        slot: the date that every job gets with -slot; None without -slot.
    """

    fleet: Fleet
    action: str
    given: tuple[str, ...]
    jobs: int
    executor: str | None
    limit: float
    now: datetime.datetime
    slot: str | None = None

    @classmethod
    def parse(
        cls,
        path: str,
        names: Sequence[str],
        action: str,
        given: Sequence[str],
        *,
        jobs: int,
        executor: str | None,
        limit: float,
    ) -> FleetRequest:
        """Parse what the user wrote.

        Raises:
            UsageError: an argument or a line of the fleet file is wrong.
        """
        options = {_name(word) for word in given if word.startswith("-")}
        if own := [name for name in OWN if name in options]:
            raise UsageError(
                f"{listed(own)} cannot be given after {action}: the fleet file says which "
                "repositories the jobs are for, and an option for one repository is not for all.",
                f"Leave it out; csf {ACTIONS[action]} does it for one repository.",
            )
        slot = _value(given, _SLOT)
        now = datetime.datetime.now()
        fleet = read_fleet(path).only(names)
        return cls(fleet, action, tuple(given), jobs, executor, limit, now, slot)


def _name(word: str) -> str:
    return "-" + word.partition("=")[0].lstrip("-")


def _value(words: Sequence[str], option: str) -> str | None:
    for word, following in zip(words, [*words[1:], None], strict=False):  # the last has none
        if word.startswith("-") and _name(word) == option:
            _, equals, value = word.partition("=")
            return value if equals else following
    return None
