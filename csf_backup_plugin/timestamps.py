"""Timestamps as written in receipts and records: UTC, ISO 8601, to the second."""

from __future__ import annotations

import datetime

#: Seconds by which two clocks may differ without a warning.
TOLERANCE = 300

_LONGEST = 100  # characters of a timestamp


def now() -> str:
    """Return the current time."""
    return _written(datetime.datetime.now(datetime.timezone.utc))


def local(moment: str) -> str:
    """Return a timestamp in this process's time zone."""
    return _written(datetime.datetime.fromisoformat(moment).astimezone())


def read(text: str) -> str | None:
    """Read a timestamp in any form of ISO 8601 with an offset; return None for anything else."""
    if len(text) > _LONGEST:
        return None
    try:
        moment = datetime.datetime.fromisoformat(text.strip().replace("Z", "+00:00"))
        return _written(moment.astimezone(datetime.timezone.utc)) if moment.tzinfo else None
    except (ValueError, OverflowError):
        return None


def is_future(moment: str, now: str) -> bool:
    """Tell whether a timestamp is more than `TOLERANCE` seconds after another one, the current."""
    ahead = datetime.datetime.fromisoformat(moment) - datetime.datetime.fromisoformat(now)
    return ahead.total_seconds() > TOLERANCE


def between(earlier: str, later: str) -> float:
    """Return the seconds from one timestamp to another; negative if the second is earlier."""
    elapsed = datetime.datetime.fromisoformat(later) - datetime.datetime.fromisoformat(earlier)
    return elapsed.total_seconds()


def later(moment: str, seconds: float) -> str:
    """Return the timestamp a number of seconds after another one."""
    return _written(datetime.datetime.fromisoformat(moment) + datetime.timedelta(seconds=seconds))


def _written(moment: datetime.datetime) -> str:
    return moment.isoformat(timespec="seconds")
