"""Attempts to connect again: for how long, how often, and what is reported to the user."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from csf_backup_plugin.errors import HostUnreachable

_REMINDER = 60.0  # seconds between two reports of a cut that lasts
_PAUSES = (0.1, 3.0)  # seconds between two attempts, at first and at most
_NEVER = float("-inf")


class Trial:
    """The time since the last answer of a host.

    Args:
        host: a name that ssh knows.
        note: is called with a sentence about a cut, and about its end.
    """

    def __init__(self, host: str, note: Callable[[str], None]) -> None:
        self._host = host
        self._note = note
        self._cut_at: float | None = None  # since when there has been no answer, monotonic
        self._since = ""  # the same as local time
        self._told = _NEVER  # when that was last reported, monotonic
        self._pause = _PAUSES[0]

    def pause(self) -> None:
        """Wait between two attempts, each time longer, up to a limit."""
        time.sleep(self._pause)
        self._pause = min(self._pause * 1.5, _PAUSES[1])

    def lasts(self, cut: HostUnreachable) -> float:
        """Report a cut, if a report is due; return for how many seconds it has lasted."""
        now = time.monotonic()
        if self._cut_at is None:
            self._cut_at, self._since = now, time.strftime("%H:%M:%S")
        if now >= self._told + _REMINDER:
            self._told = now
            self._note(f"{cut.what} There has been no answer since {self._since}; trying again.")
        return now - self._cut_at

    def answered(self) -> None:
        """Note that the host has answered."""
        if self._cut_at is not None:
            self._note(f"{self._host} answers again.")
        self._cut_at, self._pause, self._told = None, _PAUSES[0], _NEVER
