"""The id of a job: the same if the job is run again, so that no second set is made."""

from __future__ import annotations

import datetime
import hashlib
import os

_DAY = 86400
_DIGITS = 16


def slot_of(now: datetime.datetime, every: float | None) -> str:
    """Return the slot of a job: the date or the time that it is run for.

    Args:
        now: the local time.
        every: how often the job runs, in seconds; None for daily.

    Returns:
        The date. If the job runs more often than daily, also the time at which its part of the day
        began.
    """
    date = now.date().isoformat()
    if every is None or every >= _DAY:
        return date
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    begun = (now - midnight) // datetime.timedelta(seconds=every) * every
    return f"{date}T{midnight + datetime.timedelta(seconds=begun):%H:%M:%S}"


def run_id(fleet: str, name: str, action: str, slot: str) -> str:
    """Return the id of a job.

    Args:
        fleet: the absolute path of the fleet file.
        name: the name of the job.
        action: the action of the job.
        slot: as `slot_of` returns it, or another text.
    """
    whole = "\0".join((fleet, name, action, slot))
    return f"{slot}-{action}-{hashlib.sha256(os.fsencode(whole)).hexdigest()[:_DIGITS]}"
