"""The name of a promise, which a rotation writes into each of its image directories."""

from __future__ import annotations

import re

_NAME = re.compile(r"csf-backup-promise-([0-9a-f]{1,64})\.json")


def promise_name(repository: str) -> str:
    """Return the name of the promise of a repository.

    Args:
        repository: its id.
    """
    return f"csf-backup-promise-{repository}.json"


def promised(name: str) -> str:
    """Return the repository's id from the name of its promise; empty for any other name."""
    found = _NAME.fullmatch(name)
    return found[1] if found else ""
