"""Locks between processes."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from csf_simulator.server import locks


@pytest.fixture
def files(tmp_path: Path) -> Iterator[tuple[int, int]]:
    """The same file, opened twice, as by two processes."""
    (tmp_path / "lock").touch()
    one, two = (os.open(tmp_path / "lock", os.O_RDWR) for _ in range(2))
    yield one, two
    os.close(one)
    os.close(two)


def test_a_lock_excludes_others(files: tuple[int, int]) -> None:
    """Only one process has it, until it releases it."""
    one, two = files
    locks.acquire(one)
    assert locks.is_held(two)
    fcntl.flock(one, fcntl.LOCK_UN)
    assert not locks.is_held(two)


def test_waiting_ends_in_time(files: tuple[int, int]) -> None:
    """With a limit of zero there is one attempt."""
    one, two = files
    locks.acquire(one)
    with pytest.raises(BlockingIOError, match="held by another process for 0.01 seconds"):
        locks.acquire(two, 0.01)


def test_waiting_ends_with_the_lock(
    files: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As soon as the other process releases the lock, this process has it alone."""
    one, two = files
    locks.acquire(one)
    monkeypatch.setattr("time.sleep", lambda _: fcntl.flock(one, fcntl.LOCK_UN))
    locks.acquire(two, 60)
    assert locks.is_held(one)


def test_a_free_lock_is_had_at_once(
    files: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A free lock is taken at once, even with a limit of zero."""
    monkeypatch.delattr("time.sleep")
    locks.acquire(files[0], 0)
    assert locks.is_held(files[1])
