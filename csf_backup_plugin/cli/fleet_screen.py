"""A table on a terminal that is updated in place; nothing without a terminal."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from csf_backup_plugin.cli.fleet_table import table
from csf_backup_plugin.cli.printing import said
from csf_backup_plugin.cli.progress import can_go_back, terminal_size

if TYPE_CHECKING:
    from types import TracebackType

    from csf_backup_plugin.fleet.driver.loop import State

_EVERY = 1.0  # seconds between two tables of the same jobs
_UP_AND_ERASE = "\033[{}F\033[J"


class FleetScreen:
    """Show the state of a fleet's jobs on standard error, if that is a terminal.

    Args:
        action: the action of the jobs.
    """

    def __init__(self, action: str) -> None:
        self._action = action
        self._watched = can_go_back()
        self._lines = 0
        self._last: tuple[int, int, bool] | None = None
        self._at = 0.0

    def __enter__(self) -> FleetScreen:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _e: BaseException | None, _tb: TracebackType | None
    ) -> None:
        self._erase()

    def watch(self, state: State) -> None:
        """Show the state of the jobs if it has changed, or if the table is a second old."""
        news = (len(state.results), len(state.running), state.is_stopping)
        now = time.monotonic()
        if not self._watched or (news == self._last and now < self._at + _EVERY):
            return
        self._last, self._at = news, now
        lines = table(self._action, state, *terminal_size())
        self._erase()
        said("\n".join(lines))
        self._lines = len(lines)

    def _erase(self) -> None:
        if self._lines:
            said(_UP_AND_ERASE.format(self._lines), end="")
            self._lines = 0
