"""One process of the workload."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from random import Random

import pytest
from waiting import wait_for

from csf_simulator.repository import repository
from csf_simulator.repository.check import check
from csf_simulator.server.refusals import DatabaseInUse
from csf_simulator.server.server import Server
from csf_simulator.workload import writer
from csf_simulator.workload.board import Board, Tally
from csf_simulator.workload.transfer import totals


@pytest.fixture
def master(server: Server, tmp_path: Path) -> str:
    """A repository with a class, in a directory whose name is no text."""
    return repository.create(server, os.fsdecode(bytes(tmp_path / "\udcff") + b"/z.db"), classes=1)


@pytest.fixture
def board() -> Iterator[Board]:
    """A board."""
    with closing(Board.make()) as board:
        yield board


def after(count: int) -> Callable[[], bool]:
    """Return a function that tells to end after some steps."""
    left = iter(range(count))
    return lambda: next(left, None) is None


def test_every_transaction_is_posted(board: Board) -> None:
    """Each transaction is posted as soon as it is done."""
    seen: list[Tally] = []
    writer.work(lambda _: seen.append(board.total()), board, 3, after(3))
    assert seen == [Tally(1, 0), Tally(1, 1), Tally(1, 2)]
    assert board.total() == Tally(1, 3)


def test_writers_differ(board: Board) -> None:
    """Each has its own random numbers, the same each time."""
    numbers: list[float] = []

    def step(random: Random) -> None:
        numbers.append(random.random())

    for number in (0, 1, 0):
        writer.work(step, board, number, after(1))
    assert numbers[0] == numbers[2] != numbers[1]


def test_a_refusal_is_no_end(board: Board, monkeypatch: pytest.MonkeyPatch) -> None:
    """While a database is being restored, the writer tries again after a pause."""
    pauses: list[float] = []
    monkeypatch.setattr("time.sleep", pauses.append)

    def refuse(_: Random) -> None:
        if len(pauses) < 2:
            raise DatabaseInUse("a.db is being restored")

    writer.work(refuse, board, 0, after(3))
    assert board.total() == Tally(1, 1, 2)
    assert len(pauses) == 2


def test_any_other_failure_is_an_end(board: Board) -> None:
    """A broken repository is not worked on."""
    with pytest.raises(ZeroDivisionError):
        writer.work(lambda _: print(1 / 0), board, 0, after(3))


def test_it_runs_in_this_process_too(
    server: Server, master: str, board: Board, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The program takes the arguments of the command, and ends with its standard input."""
    argv = writer.command(server, master, board, 1, durable=True)
    monkeypatch.setattr(sys, "argv", ["-c", *argv[4:]])
    over = iter([False, False, True])

    def close_input(_: object, __: object, ___: object, timeout: float) -> tuple[list[int]]:
        return ([0] if next(over) else [],)

    monkeypatch.setattr("select.select", close_input)
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
    try:
        writer.main()
        assert signal.pthread_sigmask(signal.SIG_BLOCK, ()) == set()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    assert board.total() == Tally(1, 2)


def test_it_ends_with_whoever_started_it(server: Server, master: str, board: Board) -> None:
    """When the other end of its standard input is gone, it finishes its transaction."""
    argv = writer.command(server, master, board, 0, durable=False)
    with subprocess.Popen(argv, stdin=subprocess.PIPE, pass_fds=[board.fd]) as process:
        wait_for(lambda: board.total().transactions >= 10 or process.poll() is not None)
        process.communicate(timeout=60)
    assert process.returncode == 0
    assert check(server, master) == []
    assert totals(server, master).held == 16000
