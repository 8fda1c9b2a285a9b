"""A crontab that is run day after day, as cron reads it."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, NamedTuple

from scheduling import setting, to_shell

if TYPE_CHECKING:
    from collections.abc import Mapping


class Job(NamedTuple):
    """A line of a crontab.

    Attributes:
        at: when it is run, each day.
        command: as the shell gets it.
        owner: whose crontab it is in: a repository's name, or an empty string.
    """

    at: datetime.time
    command: str
    owner: str

    @property
    def kind(self) -> str:
        """The command that it runs."""
        return self.command.split(" admin_database_", 1)[1].split()[0]


class Crontab(NamedTuple):
    """A user's crontab, as cron reads it.

    Attributes:
        settings: the variables that it sets.
        jobs: its lines.
    """

    settings: Mapping[str, str]
    jobs: list[Job]


def read_crontab(text: str, owner: str) -> Crontab:
    """Return the contents of a crontab; every line must be daily, or the file is refused."""
    settings, jobs = dict[str, str](), list[Job]()
    for line in text.splitlines():
        if line.startswith("#"):
            continue
        if one := setting(line):
            settings[one[0]] = one[1]
            continue
        minute, hour, *days, command = line.split(" ", 5)
        assert days == ["*", "*", "*"], line
        at = datetime.time(int(hour), int(minute), 1)  # cron needs a moment
        jobs.append(Job(at, to_shell(command), owner))
    return Crontab(settings, jobs)
