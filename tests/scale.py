"""The extent of tests that count: CSF_TEST_SCALE times what CI can afford."""

from __future__ import annotations

import os


def scaled(count: int) -> int:
    """Return how often to do something that CI does `count` times."""
    return round(count * float(os.environ.get("CSF_TEST_SCALE", "1")))
