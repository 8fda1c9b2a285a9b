"""The ledger keeps 13 months, and at least its last lines."""

from __future__ import annotations

import os
import stat
import time
from typing import TYPE_CHECKING, NoReturn

import pytest
from ledgers import DONE, FACTS

from csf_backup_plugin import timestamps
from csf_backup_plugin.attempts import pruning
from csf_backup_plugin.attempts.line import END, Line, encode

if TYPE_CHECKING:
    from ledgers import Book

DAY = 86400


def aged(days: float) -> bytes:
    """Return a line of some days ago."""
    at = timestamps.later(timestamps.now(), -days * DAY)
    who = {"driver": "vm", "user": "root", "pid": 7}
    return encode(Line(END, "ab12", {**FACTS, **who, **DONE, "at": at}))


@pytest.fixture(autouse=True)
def _few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reduce the number of last lines that are always kept."""
    monkeypatch.setattr(pruning, "LEAST", 2)


def pruned(book: Book, *lines: bytes) -> list[bytes]:
    """Return the remaining lines after an attempt one day later."""
    book.file.write_bytes(b"".join(lines))
    os.utime(book.lock, (time.time() - DAY - 1,) * 2)
    book.attempt()
    return [line for line in book.file.read_bytes().splitlines(keepends=True) if line in lines]


@pytest.fixture(autouse=True)
def _made(book: Book) -> None:
    book.attempt()


def test_a_line_is_kept_for_13_months(book: Book) -> None:
    """The file keeps its mode."""
    old, young = aged(401), aged(399)
    book.file.chmod(0o640)
    assert pruned(book, old, young, old) == [young]
    assert stat.S_IMODE(book.file.stat().st_mode) == 0o640
    assert sorted(os.listdir(book.directory)) == ["attempts", "attempts.jsonl", "attempts.lock"]


def test_a_line_that_cannot_be_read_is_as_old_as_the_next(book: Book) -> None:
    """This also holds for a line of a newer version; the last ones stay."""
    old, young, cut, newer = aged(401), aged(1), b"cut\n", b'{"schema":"csf-backup/attempt/2"}\n'
    assert pruned(book, cut, old, newer, old, newer, young, cut) == [newer, young, cut]


def test_the_last_lines_stay_however_old_they_are(
    book: Book, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A clock that is years ahead for a moment does not empty the ledger."""
    monkeypatch.setattr(pruning, "LEAST", 5)
    lines = [aged(500 - number) for number in range(4)]
    assert pruned(book, *lines) == lines[-3:]


def test_nothing_is_rewritten_where_all_is_young(book: Book) -> None:
    """The file is not replaced."""
    before = book.file.stat().st_ino
    assert len(pruned(book, aged(1), aged(2))) == 2
    assert book.file.stat().st_ino == before


@pytest.mark.parametrize(("ago", "due"), [(DAY - 60, False), (DAY + 60, True), (-60, True)])
def test_it_is_looked_at_once_a_day(book: Book, ago: float, *, due: bool) -> None:
    """If the last check seems to lie in the future, the ledger is examined at once."""
    book.file.write_bytes(aged(401) + aged(401))
    os.utime(book.lock, (time.time() - ago,) * 2)
    book.attempt()
    book.attempt()
    assert len(book.file.read_bytes().splitlines()) == (4 if due else 6)


def test_a_ledger_that_cannot_be_rewritten_stays_as_it_was(
    book: Book, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The temporary file is removed, and one that a killed run left, too."""
    (book.file.parent / "attempts.jsonl.tmp").touch()

    def full(*_: object) -> NoReturn:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "rename", full)
    with pytest.raises(OSError, match="No space left"):
        pruned(book, aged(401))
    assert len(book.file.read_bytes().splitlines()) == 3
    assert not (book.file.parent / "attempts.jsonl.tmp").exists()
