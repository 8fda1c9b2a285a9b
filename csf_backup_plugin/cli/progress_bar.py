"""The line that shows the progress of a phase, and fits the terminal."""

from __future__ import annotations

import datetime
import time

from csf_backup_plugin.cli.human_sizes import human

_BAR = (10, 30)  # the least and the greatest width of a bar, in columns


class Bar:
    """The progress of a phase.

    Args:
        phase: the name of the phase, such as "backing up".
        total: about how many bytes there are to do.
    """

    def __init__(self, phase: str, total: int) -> None:
        self.phase = phase
        self._total = total
        self._began = time.monotonic()

    def line(self, done: int, columns: int) -> str:
        """Return the line.

        Args:
            done: the bytes that are done.
            columns: the terminal's width; the last column stays empty, since some terminals begin a
                new line when it is filled.
        """
        room = max(0, columns - 1)
        parts = [f"{self.phase} ", *self._facts(done)]
        while len(parts) > 2 and len(" ".join(parts)) > room:
            parts.pop()
        if len(" ".join(parts)) > room:
            del parts[0]
        spare = min(room - len(" ".join(parts)) - 3, _BAR[1])
        if spare >= _BAR[0]:
            filled = round(spare * self._share(done))
            parts.insert(1, f"[{'#' * filled}{' ' * (spare - filled)}]")
        return " ".join(parts)[:room]

    def _share(self, done: int) -> float:
        return min(1.0, done / self._total) if self._total else 1.0

    def _facts(self, done: int) -> list[str]:
        """Return the facts, the most important first."""
        rate = done / max(time.monotonic() - self._began, 1e-3)
        facts = [f"{self._share(done):4.0%}", f" {human(done)} of {human(self._total)}"]
        facts += [f" {human(rate)}/s"]
        if 0 < done < self._total:
            left = datetime.timedelta(seconds=round((self._total - done) / rate))
            facts += [f" {left} left"]
        return facts
