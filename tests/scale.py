"""How much of the tests that count rather than tell: CSF_TEST_SCALE times what CI can afford."""

from __future__ import annotations

import os


def scaled(count: int) -> int:
    """Return how often to do what is done `count` times in CI."""
    return round(count * float(os.environ.get("CSF_TEST_SCALE", "1")))
