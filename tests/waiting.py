"""Waiting for a condition: by polling, limited by the test's own time limit."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


def wait_for(condition: Callable[[], object]) -> None:
    """Wait until a condition holds; the test's own time limit ends it."""
    while not condition():
        time.sleep(0.02)
