"""The end of a killed attempt is kept until somebody has been informed of it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from csf_backup_plugin.attempts.ledger import Ledger
from csf_backup_plugin.attempts.unreported import unreported

if TYPE_CHECKING:
    from ledgers import Book


def test_an_attempt_that_has_ended_is_nobodys_concern(book: Book) -> None:
    """It has reported its end itself."""
    book.attempt()
    assert book.unreported() == []


def test_an_attempt_that_was_killed_is_reported_once(book: Book) -> None:
    """The report has the facts of its begin, and the ledger's words for its end."""
    killed = [book.killed(database="/data/old.db"), book.killed()]
    book.attempt()
    lines = {line.id: line.facts for line in unreported(book.directory)}
    assert sorted(lines) == sorted(killed)
    facts = lines[killed[0]]
    assert (facts["database"], facts["outcome"], facts["exit_code"]) == (
        "/data/old.db",
        "killed",
        None,
    )
    assert book.unreported() == []
    assert [line["attempt"] for line in book.lines() if line.get("outcome") == "killed"] == killed


def test_what_was_not_told_is_told_later(book: Book) -> None:
    """This includes a report that was interrupted, as its result is unknown."""
    killed = sorted(book.killed() for _ in range(3))
    book.attempt()
    reporting = unreported(book.directory)
    assert [next(reporting).id, next(reporting).id] == killed[:2]
    reporting.close()
    assert book.unreported() == killed[1:]


def test_two_do_not_tell_the_same(book: Book) -> None:
    """A reader skips what another one is reporting."""
    killed = sorted(book.killed() for _ in range(2))
    book.attempt()
    reporting = unreported(book.directory)
    assert next(reporting).id == killed[0]
    assert book.unreported() == [killed[1]]
    assert [*reporting] == []


def test_what_another_process_has_just_told_is_not_told_again(
    book: Book, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its file is gone, before or after it was opened."""
    book.killed()
    book.killed()
    book.attempt()
    first, _ = sorted(path for path in book.locks.iterdir() if path.suffix == ".killed")
    opened = os.open

    def gone(path: str, *arguments: int, **named: int) -> int:
        if path == str(first):
            descriptor = opened(path, *arguments, **named)
            first.unlink()
            return descriptor
        os.unlink(path)
        return opened(path, *arguments, **named)

    with monkeypatch.context() as patch:
        patch.setattr(os, "open", gone)
        assert book.unreported() == []
    assert book.unreported() == []


def test_a_line_that_was_cut_short_is_written_again(
    book: Book, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The attempt counts as ended only once the line is whole."""

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    killed = book.killed()
    with monkeypatch.context() as patch:
        patch.setattr(Ledger, "append", full)
        with pytest.raises(OSError, match="No space left"):
            book.begun()
    (marked,) = (path for path in book.locks.iterdir() if path.suffix == ".killed")
    os.truncate(marked, 20)
    assert book.unreported() == []
    book.attempt()
    assert book.unreported() == [killed]


def test_an_attempt_without_a_lock_is_reported_as_well(book: Book) -> None:
    """The machine was switched off, and only the line had reached the disk."""
    killed = book.killed()
    (book.locks / f"{killed}.lock").unlink()
    book.attempt()
    assert book.unreported() == [killed]
