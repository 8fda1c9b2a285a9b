"""Whom a use case tells how it is getting on."""

from __future__ import annotations

from typing import Protocol


class Listener(Protocol):
    """A listener that shows, or ignores, what it is told. It never fails."""

    def note(self, text: str) -> None:
        """Take a sentence that somebody watching would want to read now."""
        ...

    def advance(self, phase: str, done: int, total: int) -> None:
        """Learn that `done` of about `total` bytes of a phase, such as "backing up", are done."""
        ...
