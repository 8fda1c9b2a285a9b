"""Show a progress bar on a terminal, and nothing elsewhere."""

from __future__ import annotations

import contextlib
import os
import sys
from typing import TYPE_CHECKING

from csf_backup_plugin.cli.printing import said
from csf_backup_plugin.cli.progress_bar import Bar
from csf_backup_plugin.log import noted

if TYPE_CHECKING:
    from types import TracebackType

_COLUMNS, _ROWS = 80, 24  # if the terminal does not say


class Progress:
    """Show the progress of an operation on standard error, if that is a terminal.

    Nothing here raises `OSError`, since a closed terminal must not make a backup fail.
    """

    def __init__(self) -> None:
        self._watched = can_go_back()
        self._bar: Bar | None = None
        self._shown = ""  # the line of the bar that is on the terminal

    def __enter__(self) -> Progress:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _e: BaseException | None, _tb: TracebackType | None
    ) -> None:
        self._end_bar()

    def note(self, text: str) -> None:
        """Show and log a sentence."""
        noted(text)
        self.show(text)

    def show(self, text: str) -> None:
        """Show a sentence."""
        self._end_bar()
        said(text)

    def advance(self, phase: str, done: int, total: int) -> None:
        """Show that `done` of about `total` bytes of a phase are done."""
        if not self._watched:
            return
        if self._bar is None or self._bar.phase != phase:
            self._end_bar()
            self._bar = Bar(phase, total)
        columns, _ = terminal_size()
        line = self._bar.line(done, columns)
        # Spaces overwrite the rest of a longer line.
        if line != self._shown:
            spaces = " " * (min(len(self._shown), columns - 1) - len(line))
            said(f"\r{line}{spaces}", end="")
            self._shown = line

    def _end_bar(self) -> None:
        bar, self._bar, self._shown = self._bar, None, ""
        if bar is not None:
            said("")


def can_go_back() -> bool:
    """Return whether standard error is a terminal on which a line can be overwritten."""
    if sys.stderr is None or sys.stderr.closed or not sys.stderr.isatty():
        return False
    return os.environ.get("TERM", "dumb") != "dumb"


def terminal_size() -> tuple[int, int]:
    """Return the terminal's current columns and rows."""
    with contextlib.suppress(OSError, ValueError):
        columns, rows = os.get_terminal_size(sys.stderr.fileno())
        return columns or _COLUMNS, rows or _ROWS
    return _COLUMNS, _ROWS
