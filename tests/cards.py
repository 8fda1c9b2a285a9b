"""Recovery cards, which tests of something else ignore: they have the time of writing."""

from __future__ import annotations

import os
import posixpath

CARD, LOCK = "RESTORE.txt", ".csf-card.lock"


def is_of_a_card(path: str) -> bool:
    """Tell whether a path is that of a recovery card or of its lock file."""
    return posixpath.basename(path) in (CARD, LOCK)


def besides_cards(directory: str | os.PathLike[str]) -> list[str]:
    """Return the names in a directory without those of a recovery card."""
    return sorted(name for name in os.listdir(directory) if not is_of_a_card(name))
