"""The ledger is read whatever is in it, and unreadable lines are counted."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ledgers import DONE, Book

from csf_backup_plugin.attempts import reading
from csf_backup_plugin.attempts.line import BEGIN, END, Line, encode
from csf_backup_plugin.attempts.reading import Attempt, parse, read_attempts

if TYPE_CHECKING:
    from pathlib import Path

AT, LATER = "2026-11-30T05:15:35+00:00", "2026-11-30T05:16:35+00:00"
WHO = {"driver": "vm", "user": "root", "pid": 7, "command": "csf-backup"}
FACTS = {"at": AT, **WHO, "image_dirs": ["db9:/a"]}
ENDED = {**FACTS, "at": LATER, "exit_code": 0, "outcome": "done"}
KILLED = {**FACTS, "at": LATER, "outcome": "killed"}
NEWER = b'{"schema":"csf-backup/attempt/2","event":"begin"}\n'


def lines(number: int) -> list[bytes]:
    """Return the lines for begin and end of several attempts."""
    return [
        encode(Line(event, f"{one:x}", facts))
        for one in range(number)
        for event, facts in ((BEGIN, FACTS), (END, ENDED))
    ]


def test_begin_and_end_are_one_attempt() -> None:
    """The attempt has the facts of both lines."""
    (attempt,), newer, unreadable = parse(lines(1))
    assert attempt == Attempt(
        *("0", "csf-backup", "vm", "root", 7, AT, LATER),
        image_dirs=("db9:/a",),
        exit_code=0,
        outcome="done",
    )
    assert (newer, unreadable) == (0, 0)


def test_either_can_be_missing() -> None:
    """An attempt may still be running, or the disk was full at its begin."""
    begin, end = lines(1)
    (running,), (ended,) = parse([begin]).attempts, parse([end]).attempts
    assert (running.began, running.ended, running.outcome) == (AT, None, None)
    assert (ended.began, ended.ended, ended.outcome) == (None, LATER, "done")
    assert ended.image_dirs == running.image_dirs == ("db9:/a",)


def test_who_reads_knows_of_a_kill_before_it_is_entered(book: Book) -> None:
    """The reader tries its lock, and changes nothing."""
    running, killed = book.begun(), book.killed()
    before = book.file.read_bytes()
    assert book.outcomes() == {running.id: None, killed: "killed"}
    assert book.file.read_bytes() == before
    running.end(DONE)
    running.close()
    assert book.outcomes() == {running.id: "done", killed: "killed"}


def test_an_attempt_that_ends_while_its_lock_is_looked_at_is_not_taken_for_killed(
    book: Book, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The end that it has written counts."""
    running = book.begun()

    def end(_directory: str, _attempt: str) -> bool:
        running.end(DONE)
        return True

    monkeypatch.setattr(reading, "is_free", end)
    assert book.outcomes() == {running.id: "done"}
    running.close()


def test_an_end_of_its_own_holds_against_one_that_others_have_entered() -> None:
    """This holds in either order: a lock may be invisible from another machine."""
    begin, end = lines(1)
    killed = encode(Line(END, "0", KILLED))
    for order in ([begin, end, killed], [begin, killed, end], [end, killed, begin]):
        assert [one.outcome for one in parse(order).attempts] == ["done"]
    for order in ([begin, killed], [killed, begin]):
        assert [one.outcome for one in parse(order).attempts] == ["killed"]


@given(
    st.lists(st.one_of(st.sampled_from([*lines(3), NEWER]), st.binary(max_size=60)), max_size=20)
)
def test_every_line_is_read_or_counted(some: list[bytes]) -> None:
    """Anything may stand between the lines."""
    whole = {line for line in some if line in lines(3)}
    read = parse(some)
    passed = sum(line not in lines(3) for line in some)
    assert (read.newer + read.unreadable, read.newer) == (passed, some.count(NEWER))
    assert len(read.attempts) == len({encoded.split(b'"')[11] for encoded in whole})


@given(st.data())
def test_a_cut_costs_no_other_line(data: st.DataObject) -> None:
    """It may be anywhere, if the next writer ends the line."""
    whole = lines(4)
    number = data.draw(st.integers(0, len(whole) - 1))
    size = data.draw(st.integers(0, len(whole[number]) - 2))
    cut = [*whole[:number], whole[number][:size] + b"\n", *whole[number + 1 :]]
    read = parse(b"".join(cut).splitlines(keepends=True))
    assert (len(read.attempts), read.unreadable) == (4, 1)
    read = parse(b"".join(whole)[: size + sum(map(len, whole[:number]))].splitlines(keepends=True))
    assert read.unreadable == (size > 0)


def test_the_ledger_is_read_from_its_directory(book: Book) -> None:
    """The attempts are in the order of their begin."""
    made = [book.attempt(database=os.fsdecode(b"/\xff")), book.attempt()]
    read = book.read()
    assert [one.id for one in read.attempts] == made
    assert read.attempts[0].database == os.fsdecode(b"/\xff")


def test_a_ledger_that_is_not_there_is_an_error(book: Book, tmp_path: Path) -> None:
    """No ledger is not the same as no attempts."""
    with pytest.raises(FileNotFoundError):
        read_attempts(book.directory)
    book.file.parent.mkdir()
    book.file.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OSError, match="Is a symbolic link"):
        read_attempts(book.directory)
