"""Recovery cards, where a test is about something else: they tell when they were written."""

from __future__ import annotations

import os
import posixpath

CARD, LOCK = "RESTORE.txt", ".csf-card.lock"


def is_of_a_card(path: str) -> bool:
    """Tell whether a path is a recovery card's, or its lock file's."""
    return posixpath.basename(path) in (CARD, LOCK)


def besides_cards(directory: str | os.PathLike[str]) -> list[str]:
    """Return the names in a directory, but for those of a recovery card."""
    return sorted(name for name in os.listdir(directory) if not is_of_a_card(name))
