"""Writing to the disk that starts before the end."""

from __future__ import annotations

import errno
import os
import threading

import pytest

from csf_simulator.image import writeback
from csf_simulator.image.writeback import WriteBack


@pytest.fixture
def synced(monkeypatch: pytest.MonkeyPatch) -> threading.Semaphore:
    """Count syncs of descriptor 99 in a semaphore, with a step of 10 bytes."""
    count = threading.Semaphore(0)

    def fdatasync(fd: int) -> None:
        assert fd == 99
        count.release()

    monkeypatch.setattr(os, "fdatasync", fdatasync)
    monkeypatch.setattr(writeback, "STEP", 10)
    return count


def test_sync_starts_with_every_step(synced: threading.Semaphore) -> None:
    """Each time a step of bytes was written, the file is synced."""
    write_back = WriteBack(99)
    for _ in range(3):
        write_back.wrote(6)
        assert not synced.acquire(timeout=0.02)
        write_back.wrote(6)
        assert synced.acquire(timeout=60)
    write_back.finish()
    assert not synced.acquire(blocking=False)


def test_little_data_starts_no_thread(synced: threading.Semaphore) -> None:
    """A small file does not pay for what it does not need."""
    before = threading.active_count()
    write_back = WriteBack(99)
    write_back.wrote(9)
    assert threading.active_count() == before
    write_back.finish()
    assert not synced.acquire(blocking=False)


def test_error_of_the_kernel_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """The kernel tells of a failed write once; it must not be lost in a thread."""

    def fdatasync(fd: int) -> None:
        raise OSError(errno.EIO, "gone")

    monkeypatch.setattr(os, "fdatasync", fdatasync)
    write_back = WriteBack(99)
    write_back.wrote(writeback.STEP)
    with pytest.raises(OSError, match="gone"):
        _finish_after_failure(write_back)


def _finish_after_failure(write_back: WriteBack) -> None:
    """Finish, once the thread met its error."""
    assert write_back._thread is not None
    write_back._thread.join(timeout=60)
    write_back.finish()


def test_stop_ends_the_thread_and_can_be_repeated(synced: threading.Semaphore) -> None:
    """Nothing is left behind by a run that failed."""
    before = threading.active_count()
    write_back = WriteBack(99)
    write_back.wrote(10)
    write_back.stop()
    write_back.stop()
    assert threading.active_count() == before
