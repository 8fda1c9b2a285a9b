"""The time of day at which a schedule's commands run; it does not change between calls."""

from __future__ import annotations

from typing import NamedTuple

#: The default hour: clocks in Europe and America are changed for summer time before it.
HOUR = 4
_DAY, _MINUTES = 24, 60


class Time(NamedTuple):
    """A time of day, in local time of the machine that the schedule runs on."""

    hour: int
    minute: int

    def later(self, hours: int) -> Time:
        """Return the time a number of hours later, perhaps on the next day."""
        return Time((self.hour + hours) % _DAY, self.minute)

    def __str__(self) -> str:
        """Return the time as HH:MM."""
        return f"{self.hour:02d}:{self.minute:02d}"


def chosen(digest: bytes) -> Time:
    """Return the time to use if the user gives none.

    Minutes are spread evenly, so that the machines of a site do not all begin at once.

    Args:
        digest: the digest of machine and repository, as `digest_of` returns it.
    """
    return Time(HOUR, int.from_bytes(digest[:8], "big") % _MINUTES)


def warnings(at: Time) -> list[str]:
    """Return a warning if clocks may be changed at that time."""
    if at.hour >= HOUR:
        return []
    return [
        f"{at} is between 00:00 and 0{HOUR}:00, when clocks are changed for summer time: in one "
        f"night that time may come twice, and in another one never; the default is 0{HOUR}:MM"
    ]
