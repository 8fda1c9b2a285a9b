"""A ledger in a directory of the test's own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from ledgers import Book

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def book(tmp_path: Path) -> Book:
    """Return a ledger that does not exist yet."""
    return Book(tmp_path / "state")
