"""The progress listener of an operation."""

from __future__ import annotations

from typing import Protocol


class Listener(Protocol):
    """A listener that shows, or ignores, progress. Its methods never fail."""

    def note(self, text: str) -> None:
        """Take a sentence that the user who is watching should read now."""
        ...

    def advance(self, phase: str, done: int, total: int) -> None:
        """Take the progress of a phase, such as "backing up": `done` of about `total` bytes."""
        ...
