"""The claim on a copy's name, and how the next copy treats what a killed copy has left."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

import pytest
from copying import COPY, ORIGINAL, copied, hosts, receipt_at
from sets_in_memory import add_set

from csf_backup_plugin.errors import (
    HostUnreachable,
    ImageExists,
    Interrupted,
    LockBusy,
    NoSpace,
)
from csf_backup_plugin.image import copy_record
from csf_backup_plugin.system_errors import HalfDone
from doubles import Memory, MemoryHost, MemoryLock, MemorySink

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from contextlib import AbstractContextManager


class Killed(BaseException):
    """Simulate the death of a csf that cleans up nothing."""


def left_by_a_kill(source: MemoryHost, host: MemoryHost) -> None:
    """Leave on a host what a copy leaves that is killed after its renames, before its receipt."""
    copied(source, host)
    host.files = {COPY.path: b"half", COPY.import_file: b"/r/lib.db\n", COPY.arriving: b"part"}
    receipt = receipt_at(source, ORIGINAL)
    record = copy_record.record_of(ORIGINAL, receipt, "process 7 on driver", "then")
    host.files[COPY.copying] = copy_record.encode(record)


def test_the_same_copy_takes_the_place_of_a_killed_one() -> None:
    """The copy needs no help, and reports what it replaces."""
    source, host = hosts()
    left_by_a_kill(source, host)
    made = copied(source, host)
    assert made.made_now
    assert made.also_done == (
        "a copy of db1:/b/1.img (by process 7 on driver, since then) was killed, and what it had "
        "left of db2:/c/1.img was removed",
    )
    assert host.files[COPY.path] == source.files[ORIGINAL.path]
    assert COPY.copying not in host.files
    assert COPY.arriving not in host.files


def test_a_dry_run_leaves_what_a_killed_copy_has_left() -> None:
    """The room that would be freed is counted."""
    source, host = hosts()
    left_by_a_kill(source, host)
    before = dict(host.files)
    assert not copied(source, host, dry_run=True).made_now
    assert host.files == before


def test_what_a_killed_copy_of_another_set_has_left_stays() -> None:
    """It is not known whether somebody still needs it."""
    source, host = hosts()
    left_by_a_kill(source, host)
    add_set(source, ORIGINAL.path, 8)
    before = dict(host.files)
    with pytest.raises(ImageExists, match=r"a copy of db1:/b/1\.img .* was killed") as caught:
        copied(source, host)
    assert caught.value.left == "Nothing was created or changed."
    assert host.files == before
    with pytest.raises(ImageExists):
        copied(source, host, dry_run=True)


def test_a_record_that_cannot_be_used_stays() -> None:
    """A newer version may have written it."""
    source, host = hosts()
    host.files[COPY.copying] = b"what?"
    with pytest.raises(ImageExists, match="a copy about which nothing is known"):
        copied(source, host)
    assert host.files == {COPY.copying: b"what?"}


def test_what_a_killed_copy_could_not_have_left_stays() -> None:
    """Somebody may have started a backup with that name."""
    source, host = hosts()
    left_by_a_kill(source, host)
    host.files[f"{COPY.run}/status"] = b"running"
    host.directories.add(COPY.run)
    before = dict(host.files)
    with pytest.raises(ImageExists, match=r"1\.img\.run exists"):
        copied(source, host)
    assert host.files == before


@pytest.mark.parametrize("record", ["usable", ""])
def test_a_copy_that_runs_already_is_reported(record: str) -> None:
    """The message names the other copy, if its record does, and that it is waited for."""
    source, host = hosts()
    left_by_a_kill(source, host)
    if not record:
        host.files[COPY.copying] = b"what?"
    host.locked[COPY.copying] = "admin_database_copy"
    before, listener = dict(host.files), Memory()
    with pytest.raises(LockBusy, match="is being made already: a copy") as caught:
        copied(source, host, wait=5, listener=listener)
    assert ("process 7 on driver" in caught.value.what) == bool(record)
    assert listener.notes == ["waiting up to 5 s for the copy that is making db2:/c/1.img"]
    assert host.files == before


def test_a_copy_that_ends_meanwhile_has_made_the_set() -> None:
    """The copy that has waited finds the finished set there."""
    source, first = hosts()
    copied(source, first)

    class Ending(MemoryHost):
        def lock(
            self, path: str, *arguments: Any, **options: Any
        ) -> AbstractContextManager[MemoryLock | None]:
            if COPY.path not in self.files and path == COPY.copying:
                self.files = dict(first.files)  # its record is gone
            return super().lock(path, *arguments, **options)

    _, host = hosts(to=Ending)
    host.files[COPY.copying] = b"of the other"
    made = copied(source, host)
    assert not made.made_now
    assert made.also_done == ("db1:/b/1.img was copied to db2:/c/1.img already",)
    assert host.files == first.files


class Unlocked(MemoryHost):
    """A host whose file systems have no locks."""

    @contextlib.contextmanager
    def lock(self, path: str, *_rest: Any, **_options: Any) -> Iterator[MemoryLock]:
        lock = MemoryLock(self)
        lock.unsupported = "No locks available"
        yield lock


def test_without_locks_a_copy_is_made() -> None:
    """A warning explains the missing lock."""
    source, host = hosts(to=Unlocked)
    (warning,) = copied(source, host).warnings
    assert "1.img.copying cannot be locked (No locks available)" in warning


def test_without_locks_nothing_is_taken_over() -> None:
    """Without locks it is unknown whether the other copy still runs."""
    source, host = hosts(to=Unlocked)
    other = hosts()[1]
    left_by_a_kill(source, other)
    host.files = dict(other.files)
    with pytest.raises(ImageExists, match="so which cannot be known"):
        copied(source, host)
    assert host.files == other.files


class LosingLock(MemoryLock):
    """A lock that is lost with its connection."""

    is_held = False


class Cut(MemoryHost):
    """A host whose connection is cut, and made again, while the image is sent."""

    @contextlib.contextmanager
    def lock(self, path: str, *_rest: Any, **_options: Any) -> Iterator[MemoryLock]:
        yield LosingLock(self)

    def receiving(self, path: str) -> AbstractContextManager[MemorySink]:
        self.files[path] = b""
        raise HostUnreachable("The connection was cut.", "Look.")


def test_once_the_lock_is_lost_all_stays() -> None:
    """Another copy may have taken over; the same command continues with what is there."""
    source, host = hosts(to=Cut)
    with pytest.raises(HostUnreachable) as caught:
        copied(source, host)
    assert caught.value.left == (
        "What this run had created may be there: /c/1.img.copying, /c/1.img.copying.part."
    )
    assert caught.value.next_step == "Look.\nThe same command replaces what is there."
    assert {*host.files} == {COPY.copying, COPY.arriving}


class Stuck(MemoryHost):
    """A host where nothing can be removed.

    Attributes:
        error: why.
    """

    error: Exception = OSError(30, "Read-only file system", "/c/1.img.copying.part")

    def remove(self, paths: Iterable[str]) -> None:
        raise self.error

    def receiving(self, path: str) -> AbstractContextManager[MemorySink]:
        raise OSError(28, "No space left on device", path)


def test_what_cannot_be_removed_is_reported() -> None:
    """The message says that the same command replaces it."""
    source, host = hosts(to=Stuck)
    with pytest.raises(NoSpace) as caught:
        copied(source, host)
    assert caught.value.left == (
        "What this run had created could not all be removed: /c/1.img.copying.part (Read-only "
        "file system), /c/1.img.copying."
    )
    assert caught.value.next_step.endswith("The same command replaces what is there.")


def test_a_host_that_is_gone_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    """The message says that the state of the host is unknown."""
    monkeypatch.setattr(Stuck, "error", HostUnreachable("The connection was cut.", "Look."))
    source, host = hosts(to=Stuck)
    with pytest.raises(NoSpace) as caught:
        copied(source, host)
    assert caught.value.left == (
        "What this run had created may be there: /c/1.img.copying, /c/1.img.copying.part "
        "(The connection was cut.)."
    )


def test_what_was_removed_and_not_brought_to_the_disk_is_reported(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A power failure may bring it back."""
    half = HalfDone(OSError(5, "Input/output error"), "x was removed all the same.")
    monkeypatch.setattr(Stuck, "error", half)
    source, host = hosts(to=Stuck)
    with pytest.raises(NoSpace) as caught:
        copied(source, host)
    assert caught.value.left == "x was removed all the same. x was removed all the same."


def test_a_record_that_could_not_be_locked_is_reported() -> None:
    """A signal came between creating and locking the record."""

    class Signalled(MemoryHost):
        def lock(self, *_arguments: Any, **_options: Any) -> AbstractContextManager[None]:
            raise Interrupted(15, "The copy")

    source, host = hosts(to=Signalled)
    with pytest.raises(Interrupted) as caught:
        copied(source, host)
    assert caught.value.left == ("/c/1.img.copying stays; nothing else was created or changed.")
    with pytest.raises(Interrupted) as caught:
        copied(source, host)
    assert caught.value.left == "Nothing was created or changed."


def test_a_record_of_odd_facts_is_none() -> None:
    """A record that cannot be read counts as none, too."""
    assert copy_record.decode(OSError(5, "x")) is None
    assert copy_record.decode(None) is None


def test_every_moment_of_a_kill_is_followed_by_the_same_copy() -> None:
    """At no point of the copy is there a receipt without a complete set."""
    calls = ("publish", "receiving", "sync", "digest", "move", "remove")
    source, host = hosts()
    count = killed_at(10**6, calls)(source, host)
    assert count > len(calls)
    for at in range(count):
        source, host = hosts()
        with pytest.raises(Killed):
            killed_at(at, calls)(source, host)
        if COPY.receipt in host.files:
            assert host.files[COPY.path] == source.files[ORIGINAL.path]
        elif at:
            assert COPY.copying in host.files
        copied(source, host)
        assert host.files[COPY.path] == source.files[ORIGINAL.path]
        assert {COPY.copying, COPY.arriving} & {*host.files} == set()


def killed_at(moment: int, calls: tuple[str, ...]) -> Callable[[MemoryHost, MemoryHost], int]:
    """Return a function that copies a set and dies before a call of the target host.

    The function returns how many calls there were.
    """

    def run(source: MemoryHost, host: MemoryHost) -> int:
        count = 0

        def watched(name: str) -> Callable[..., Any]:
            def call(self: MemoryHost, *arguments: object, **options: object) -> object:
                nonlocal count
                if count >= moment:  # nothing is cleaned up either
                    raise Killed
                count += 1
                return getattr(MemoryHost, name)(self, *arguments, **options)

            return call

        host.__class__ = type("Watched", (MemoryHost,), {name: watched(name) for name in calls})
        try:
            copied(source, host)
        finally:
            host.__class__ = MemoryHost
        return count

    return run
