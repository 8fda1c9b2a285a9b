"""Moments, as receipts and records tell them: UTC, ISO 8601, to the second."""

from __future__ import annotations

import datetime


def now() -> str:
    """Return this moment."""
    return _written(datetime.datetime.now(datetime.timezone.utc))


def read(text: str) -> str | None:
    """Return a moment that is written in any form of ISO 8601 with its offset, or None."""
    try:
        moment = datetime.datetime.fromisoformat(text.strip().replace("Z", "+00:00"))
    except ValueError:
        return None
    return _written(moment.astimezone(datetime.timezone.utc)) if moment.tzinfo else None


def _written(moment: datetime.datetime) -> str:
    return moment.isoformat(timespec="seconds")
