"""A progress bar on a terminal, and silence where nobody watches."""

from __future__ import annotations

import contextlib
import sys
import time
from typing import TYPE_CHECKING

import click

from csf_backup_plugin.cli.sizes import human
from csf_backup_plugin.log import noted

if TYPE_CHECKING:
    from types import TracebackType

    from click._termui_impl import ProgressBar  # click has no public name for the type


class Progress:
    """Shows a use case's progress on standard error, if that is a terminal.

    A terminal that has gone away is no reason for a backup to fail: nothing here raises `OSError`.
    """

    def __init__(self) -> None:
        self._watched = sys.stderr is not None and sys.stderr.isatty()
        self._bar: ProgressBar[int] | None = None

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
        with contextlib.suppress(OSError):
            click.echo(text, err=True)

    def advance(self, phase: str, done: int, total: int) -> None:
        """Show that `done` of about `total` bytes of a phase are done."""
        if not self._watched:
            return
        with contextlib.suppress(OSError):
            if self._bar is None or self._bar.label != phase:
                self._end_bar()
                self._bar = _bar(phase, total)
                self._bar.__enter__()
            # What a bar has passed is finished for it, and its time left with it.
            self._bar.update(min(done, total) - self._bar.pos, done)

    def _end_bar(self) -> None:
        bar, self._bar = self._bar, None
        if bar is not None:
            with contextlib.suppress(OSError):
                bar.__exit__(None, None, None)


def _bar(phase: str, total: int) -> ProgressBar[int]:
    began = time.monotonic()

    def shown(done: int | None) -> str:
        seconds = max(time.monotonic() - began, 1e-3)
        return f"{human(done or 0)} of {human(total)}, {human((done or 0) / seconds)}/s"

    return click.progressbar(
        length=total,
        label=phase,
        file=sys.stderr,
        item_show_func=shown,
        update_min_steps=0,  # a rate that falls is worth showing too
    )
