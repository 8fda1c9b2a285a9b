"""The next attempt writes the end of killed attempts into the ledger."""

from __future__ import annotations

import fcntl
import functools
import itertools
import os
import random
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import pytest
from waiting import wait_for

from csf_backup_plugin.attempts import ledger, pruning

if TYPE_CHECKING:
    from collections.abc import Callable

    from ledgers import Book

# Several attempts in a row, like many commands.
ATTEMPTS = f"""
import sys
sys.path.insert(0, {os.path.dirname(os.path.dirname(__file__))!r})
from ledgers import DONE, FACTS
from csf_backup_plugin.attempts.recording import Recording
def attempt():
    made = Recording(sys.argv[1], FACTS)
    made.begin()
    made.end(DONE)
    made.close()
"""
# The calls that write an attempt.
CALLS = (
    *((os, name) for name in ("open", "write", "pread", "fsync", "unlink", "utime", "rename")),
    *((os, name) for name in ("close", "fchmod", "mkdir", "chmod")),
    (fcntl, "flock"),
)


def struck_at(book: Book, step: int) -> int:
    """Make an attempt in a process that is killed before one of its steps; return how it ended."""
    pid = os.fork()
    if not pid:  # pragma: no cover  # another process, which is killed
        try:
            steps = itertools.count(1)

            def struck(call: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
                if next(steps) == step:
                    os.kill(os.getpid(), signal.SIGKILL)
                return call(*arguments, **named)

            pruning.LEAST = 2
            for module, name in CALLS:
                setattr(module, name, functools.partial(struck, getattr(module, name)))
            book.attempt()
            os._exit(0)
        finally:
            os._exit(1)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def test_an_attempt_that_was_killed_is_entered_once(book: Book) -> None:
    """Its end repeats the begin; the time of the kill is unknown."""
    killed = book.killed(database="/data/old.db")
    done = book.attempt()
    book.attempt()
    (end,) = (line for line in book.lines() if line.get("outcome") == "killed")
    assert (end["attempt"], end["database"]) == (killed, "/data/old.db")
    assert (end["exit_code"], end["seconds"], end["error"]) == (None, None, None)
    assert [one["attempt"] for one in book.lines()[:4]] == [killed, killed, done, done]
    assert book.running() == []


def test_a_lock_that_is_gone_is_as_good_as_free(book: Book) -> None:
    """The machine was switched off, and only the line had reached the disk."""
    killed = book.killed()
    (book.locks / f"{killed}.lock").unlink()
    book.attempt()
    assert book.outcomes()[killed] == "killed"


def test_what_is_left_of_one_that_had_not_begun_is_removed(book: Book) -> None:
    """Nothing is written to the ledger, and other files are left alone."""
    book.attempt()
    (book.locks / "ab12.lock").touch()
    (book.locks / "notes.txt").touch()
    book.attempt()
    assert (book.running(), len(book.outcomes())) == (["notes.txt"], 2)


def test_a_lock_that_cannot_be_opened_tells_nothing(book: Book) -> None:
    """The attempt counts as running."""
    killed = book.killed()
    lock = book.locks / f"{killed}.lock"
    lock.unlink()
    lock.mkdir()
    book.attempt()
    assert book.outcomes()[killed] is None


def test_a_line_that_only_looks_like_a_begin_is_skipped(book: Book) -> None:
    """Somebody has changed it."""
    killed = book.killed()
    text = book.file.read_text().replace('"pid":', '"pod":')
    book.file.write_text(text)
    other = book.attempt()
    read = book.read()
    assert (read.unreadable, [one.id for one in read.attempts]) == (1, [other])
    assert killed not in "".join(book.running())


def test_only_the_last_part_of_a_long_ledger_is_looked_at(
    book: Book, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A command does not read years of lines."""
    old, young = book.begun(), book.begun()
    for made in (old, young):
        made.close()
    monkeypatch.setattr(ledger, "_LOOKED_AT", book.file.stat().st_size * 2 // 3)
    book.attempt()
    ended = {line["attempt"]: line["outcome"] for line in book.lines() if line["event"] == "end"}
    assert (ended.get(old.id), ended.get(young.id)) == (None, "killed")


def test_processes_at_once_are_killed_at_any_moment(book: Book) -> None:
    """Each of their attempts ends once in the ledger, all lines are whole, and no file is left."""
    program = [sys.executable, "-c", f"{ATTEMPTS}\nwhile True: attempt()", book.directory]
    for _ in range(4):
        started = [subprocess.Popen(program) for _ in range(3)]
        sizes = {book.file.stat().st_size if book.file.exists() else 0}

        def grown(sizes: set[int] = sizes) -> bool:
            sizes.add(book.file.stat().st_size if book.file.exists() else 0)
            return len(sizes) >= 4

        wait_for(grown)  # so that everything is imported, and lines exist
        for process in random.sample(started, 3):
            time.sleep(random.uniform(0, 0.05))
            process.kill()
            assert process.wait() == -signal.SIGKILL
    book.attempt()
    assert set(book.outcomes().values()) <= {"done", "killed"}
    ends = [line["attempt"] for line in book.lines() if line["event"] == "end"]
    assert sorted(ends) == sorted(book.outcomes())
    assert book.running() == []


def test_processes_at_once_lose_no_line(book: Book) -> None:
    """Each of them finds the others' attempts still running."""
    program = f"{ATTEMPTS}\nfor _ in range(40): attempt()"
    command = [sys.executable, "-c", program, book.directory]
    started = [subprocess.Popen(command) for _ in range(4)]
    assert [process.wait() for process in started] == [0] * 4
    assert [*book.outcomes().values()] == ["done"] * 160
    assert len(book.lines()) == 320


def test_a_kill_at_any_step_leaves_a_ledger_to_go_on_with(book: Book) -> None:
    """The attempt may be the first one, find another one killed, or prune the ledger."""
    for first in (True, False):
        for step in itertools.count(1):
            if not first:
                book.killed()
                os.utime(book.lock, (0, 0))
            if (ended := struck_at(book, step)) == 0:
                break
            assert ended == -signal.SIGKILL
            book.attempt()
            assert set(book.outcomes().values()) <= {"done", "killed"}
            assert book.running() == []
            if first:
                book.unreported()
                for path in (book.file, book.lock):
                    path.unlink()
                book.locks.rmdir()
                book.file.parent.rmdir()
        assert step > (10 if first else 20)
