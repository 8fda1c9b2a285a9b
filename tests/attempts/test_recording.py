"""An attempt is recorded when it begins and when it ends, in lines that stay whole."""

from __future__ import annotations

import fcntl
import os
import pwd
import stat
from typing import TYPE_CHECKING, NoReturn

import pytest
from ledgers import DONE

from csf_backup_plugin.attempts import files
from csf_backup_plugin.hosts.local import opening

if TYPE_CHECKING:
    from ledgers import Book


def test_an_attempt_is_two_lines(book: Book) -> None:
    """The end repeats the facts of the begin; both have user, machine and time."""
    attempt = book.attempt(image="db9:/a.img")
    begin, end = book.lines()
    assert begin == {
        **{key: end[key] for key in begin},
        "schema": "csf-backup/attempt/1",
        "event": "begin",
        "attempt": attempt,
        "pid": os.getpid(),
        "driver": os.uname().nodename,
        "image": "db9:/a.img",
        "user": pwd.getpwuid(os.geteuid()).pw_name,
        "at": begin["at"],
    }
    assert end == {**begin, **DONE, "event": "end", "at": end["at"]}
    assert book.outcomes() == {attempt: "done"}


def test_an_end_may_know_better(book: Book) -> None:
    """For example, it knows which image `latest` was."""
    made = book.begun(image="db9:/latest")
    made.end({**DONE, "image": "db9:/a.img"})
    made.close()
    assert [one.image for one in book.read().attempts] == ["db9:/a.img"]


def test_an_attempt_that_runs_holds_a_lock(book: Book) -> None:
    """After its end, only its lines are left."""
    made = book.begun()
    assert book.running() == [f"{made.id}.lock"]
    book.attempt()
    assert book.outcomes()[made.id] is None
    made.end(DONE)
    made.close()
    assert (book.running(), book.outcomes()[made.id]) == ([], "done")


@pytest.mark.parametrize("umask", [0, 0o077])
def test_everybody_may_read_the_ledger(book: Book, umask: int) -> None:
    """This holds for any umask; only the owner can hold its locks."""
    before = os.umask(umask)
    try:
        book.attempt()
        made = book.begun()
    finally:
        os.umask(before)
    (running,) = book.locks.iterdir()
    made.close()
    kinds = (book.file.parent, book.file, book.locks, book.lock, running)
    modes = [stat.S_IMODE(one.stat().st_mode) for one in kinds]
    assert modes == [0o755, 0o644, 0o755, 0o600, 0o600]


def test_a_file_that_is_there_keeps_its_mode(book: Book) -> None:
    """The administrator has set it."""
    book.attempt()
    book.file.chmod(0o640)
    book.attempt()
    assert stat.S_IMODE(book.file.stat().st_mode) == 0o640


@pytest.mark.parametrize("name", ["attempts.jsonl", "attempts.lock"])
@pytest.mark.parametrize("kind", ["link", "fifo", "directory"])
def test_nothing_is_written_through_a_link(book: Book, name: str, kind: str) -> None:
    """Neither is a pipe written to."""
    path, target = book.file.parent / name, book.file.parent / "target"
    path.parent.mkdir()
    if kind == "link":
        path.symlink_to(target)
    elif kind == "fifo":
        os.mkfifo(path)
    else:
        path.mkdir()
    with pytest.raises(OSError, match=r"symbolic link|Not a file|Is a directory|No such device"):
        book.begun()
    assert not target.exists()


def test_a_file_of_another_user_is_reported(book: Book, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is written to it."""
    book.attempt()
    before = book.file.read_bytes()
    monkeypatch.setattr(os, "geteuid", lambda: 4242)
    with pytest.raises(PermissionError, match=r"Belongs to another user \(uid \d+\)"):
        book.begun()
    assert book.file.read_bytes() == before


def test_a_user_without_a_name_has_a_number(book: Book, monkeypatch: pytest.MonkeyPatch) -> None:
    """Containers have such users."""

    def unknown(_: int) -> NoReturn:
        raise KeyError("uid not found")

    monkeypatch.setattr(pwd, "getpwuid", unknown)
    book.attempt()
    assert book.lines()[0]["user"] == str(os.geteuid())


@pytest.mark.parametrize("cut", [1, 200])
def test_a_line_that_was_cut_short_is_ended(book: Book, cut: int) -> None:
    """The next line is not mixed with it."""
    book.attempt()
    os.truncate(book.file, book.file.stat().st_size - cut)
    later = book.attempt()
    read = book.read()
    assert read.unreadable == (cut > 1)
    assert [one.outcome for one in read.attempts] == ["done" if cut == 1 else "killed", "done"]
    assert read.attempts[1].id == later


def test_a_full_disk_is_reported(book: Book, monkeypatch: pytest.MonkeyPatch) -> None:
    """A truncated line is ignored; an end without a begin counts."""
    write = os.write

    def full(descriptor: int, data: bytes) -> int:
        return write(descriptor, data[:10])

    made = book.begun()
    with monkeypatch.context() as patch:
        patch.setattr(os, "write", full)
        with pytest.raises(OSError, match="No space left on device"):
            made.end(DONE)
        with pytest.raises(OSError, match="No space left on device"):
            book.begun()
    made.end(DONE)
    made.close()
    read = book.read()
    assert (read.unreadable, [one.id for one in read.attempts]) == (2, [made.id])


def test_nobody_is_waited_for_longer_than_a_moment(
    book: Book, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The ledger never delays a backup."""
    book.attempt()
    monkeypatch.setattr(files, "WAIT", 0.5)
    with open(book.lock, "rb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(OSError, match="Another process has held it for 0.5 s"):
            book.begun()


def test_without_locks_lines_are_appended(book: Book, monkeypatch: pytest.MonkeyPatch) -> None:
    """Killed attempts are then unknown, and not reported."""

    def none(*_: object) -> NoReturn:
        raise OSError(37, "No locks available")

    first = book.killed()
    monkeypatch.setattr(fcntl, "flock", none)
    second = book.killed()
    third = book.attempt()
    assert book.outcomes() == {first: None, second: None, third: "done"}


def test_no_child_inherits_a_lock(book: Book, monkeypatch: pytest.MonkeyPatch) -> None:
    """A child that outlives csf would hide that csf was killed."""
    opened = list[int]()
    plain_file = opening.plain_file

    def noted(descriptor: int, path: str) -> int:
        opened.append(plain_file(descriptor, path))
        assert not os.get_inheritable(opened[-1])
        return opened[-1]

    monkeypatch.setattr(opening, "plain_file", noted)
    book.attempt()
    assert len(opened) == 5
    for descriptor in opened:
        with pytest.raises(OSError, match="Bad file descriptor"):
            os.fstat(descriptor)
