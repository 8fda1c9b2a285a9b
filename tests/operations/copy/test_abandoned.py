"""What killed copies of other sets left: -keep removes it where it is certain that they ended."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

import pytest
from copying import ORIGINAL, copied, hosts, receipt_at
from sets_in_memory import OTHERS, add_set

from csf_backup_plugin.errors import LockBusy
from csf_backup_plugin.image import copy_record
from csf_backup_plugin.image.path import ImagePath
from doubles import MemoryHost, MemoryLock

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from contextlib import AbstractContextManager

KILLED = ImagePath("db2", "/c/killed.img")
RECORD = "a copy of db1:/b/1.img (by process 7 on driver, since then)"


class _OfKilled(MemoryHost):
    """A host on which something is special about the record of the killed copy."""

    def lock(self, path: str, *args: Any, **options: Any) -> AbstractContextManager[Any]:
        """Hold a lock; that of the killed copy's record in a special way."""
        return (
            self.lock_killed() if path == KILLED.copying else super().lock(path, *args, **options)
        )

    @contextlib.contextmanager
    def lock_killed(self) -> Iterator[MemoryLock | None]:
        """Hold the lock of the killed copy's record."""
        raise NotImplementedError


class _AtWork(_OfKilled):
    @contextlib.contextmanager
    def lock_killed(self) -> Iterator[MemoryLock | None]:
        """Find the lock held by the copy, which is not killed."""
        raise LockBusy("It is held.", "Wait.")
        yield


class _WithoutLocks(_OfKilled):
    @contextlib.contextmanager
    def lock_killed(self) -> Iterator[MemoryLock | None]:
        """Find that the file system has no locks."""
        lock = MemoryLock(self)
        lock.unsupported = "No locks available"
        yield lock


class _EndedSince(_OfKilled):
    @contextlib.contextmanager
    def lock_killed(self) -> Iterator[MemoryLock | None]:
        """Find that the copy has ended and removed its record."""
        yield None


class _ChangedSince(_OfKilled):
    @contextlib.contextmanager
    def lock_killed(self) -> Iterator[MemoryLock | None]:
        """Find that another copy has taken the record over."""
        self.files[KILLED.copying] = b"another record"
        yield MemoryLock(self)


class _BadDisk(MemoryHost):
    def remove(self, paths: Iterable[str]) -> None:
        """Fail for the killed copy."""
        paths = list(paths)
        if KILLED.path in paths:
            raise OSError(5, "Input/output error", KILLED.path)
        super().remove(paths)


def with_a_killed_copy(to: type[MemoryHost] = MemoryHost) -> tuple[MemoryHost, MemoryHost]:
    """Return a host with two sets, and one with what a killed copy of the first one has left."""
    source, host = hosts(1, 2, to=to)
    left = copy_record.record_of(
        ORIGINAL, receipt_at(source, ORIGINAL), "process 7 on driver", "then"
    )
    host.files |= {
        KILLED.path: b"half",
        KILLED.import_file: b"/r/lib.db\n",
        KILLED.arriving: b"part",
        KILLED.copying: copy_record.encode(left),
    }
    return source, host


def left_of_it(host: MemoryHost) -> list[str]:
    """Return the files of the killed copy that are there."""
    return [path for path in host.files if path.startswith(KILLED.path)]


def test_what_another_killed_copy_has_left_is_removed() -> None:
    """The next copy has another name, and would never take its place."""
    source, host = with_a_killed_copy()
    made = copied(source, host, "db1:/b/2.img", keep=1)
    assert made.also_done == (
        f"{RECORD} was killed, and what it had left of db2:/c/killed.img was removed",
    )
    assert (made.warnings, left_of_it(host)) == ((), [])


def test_without_keep_nothing_is_removed() -> None:
    """A copy without -keep removes nothing, and warns of nothing."""
    source, host = with_a_killed_copy()
    made = copied(source, host, "db1:/b/2.img")
    assert (made.warnings, made.also_done, len(left_of_it(host))) == ((), (), 4)


def test_a_dry_run_warns_of_a_killed_copy() -> None:
    """It removes nothing."""
    source, host = with_a_killed_copy()
    made = copied(source, host, "db1:/b/2.img", keep=1, dry_run=True)
    (warning,) = made.warnings
    assert warning.startswith(f"skipped: db2:/c/killed.img is {RECORD}")
    assert len(left_of_it(host)) == 4


@pytest.mark.parametrize("to", [_AtWork, _WithoutLocks, _ChangedSince])
def test_what_may_belong_to_a_running_copy_stays(to: type[MemoryHost]) -> None:
    """Whoever holds the record's lock is at work; without locks, nobody knows."""
    source, host = with_a_killed_copy(to)
    made = copied(source, host, "db1:/b/2.img", keep=1)
    (warning,) = made.warnings
    assert warning.startswith(f"skipped: db2:/c/killed.img is {RECORD}")
    assert (made.also_done, len(left_of_it(host))) == ((), 4)


def test_a_copy_that_has_ended_meanwhile_is_no_killed_one() -> None:
    """It has removed its record itself, and nothing is said of it."""
    source, host = with_a_killed_copy(_EndedSince)
    made = copied(source, host, "db1:/b/2.img", keep=1)
    assert (made.also_done, made.warnings) == ((), ())
    assert KILLED.path in host.files


@pytest.mark.parametrize("ending", [".keep", ".run", ".drill.json"])
def test_a_file_that_no_copy_makes_keeps_the_rest(ending: str) -> None:
    """An administrator may keep it, or it may be a backup's."""
    source, host = with_a_killed_copy()
    if KILLED.path + ending not in KILLED.whole_set:
        pytest.fail(f"{ending} is no file of a set")
    host.files[KILLED.path + ending] = b""
    made = copied(source, host, "db1:/b/2.img", keep=1)
    assert len(made.warnings) == 1
    assert len(left_of_it(host)) == 5


def test_a_failed_removal_is_a_warning() -> None:
    """The record stays, so that the next copy tries again."""
    source, host = with_a_killed_copy(_BadDisk)
    made = copied(source, host, "db1:/b/2.img", keep=1)
    assert made.warnings == (
        f"db2:/c/killed.img is {RECORD} that was killed, and is not all removed: "
        f"Input/output error; {KILLED.copying} stays until it is",
    )
    assert KILLED.copying in host.files


def test_killed_copies_of_other_repositories_stay() -> None:
    """They are removed with the copies of their own repository; so is what cannot be read."""
    source, host = with_a_killed_copy()
    add_set(source, "/b/x.img", 1, OTHERS, "/r/x.db")
    image = ImagePath("db1", "/b/x.img")
    record = copy_record.record_of(image, receipt_at(source, image), "process 7", "then")
    host.files[KILLED.copying] = copy_record.encode(record)
    host.files["/c/later.img.copying"] = b"what?"
    made = copied(source, host, "db1:/b/2.img", keep=1)
    assert (made.also_done, made.warnings, len(left_of_it(host))) == ((), (), 4)
