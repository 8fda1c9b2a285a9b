"""A workload that runs or has run, and what it did."""

from __future__ import annotations

import subprocess
import time
from typing import NamedTuple

from csf_simulator.workload.board import Board

Writer = subprocess.Popen[bytes]

_PAUSE = 0.002


class WorkloadError(Exception):
    """A writer failed; it said why on standard error."""


class Result(NamedTuple):
    """What a workload did, from when all writers were at work.

    Attributes:
        transactions: number of transactions.
        refused: number of transactions refused because a database was being restored.
        seconds: how long it took.
    """

    transactions: int
    refused: int
    seconds: float

    @property
    def rate(self) -> float:
        """Transactions per second."""
        return self.transactions / self.seconds


class Workload:
    """A workload that runs, or has run; `start_workload` makes it.

    Attributes:
        writers: its processes. If some are killed, the others go on.
    """

    def __init__(self, board: Board) -> None:
        self.writers: list[Writer] = []
        self._board = board
        self._final: Result | None = None
        self._note_beginning()

    def result(self) -> Result:
        """Return what it did; so far, while it runs."""
        return self._final or self._so_far()

    def await_work(self) -> None:
        """Wait until all writers are at work; what they did until then does not count.

        Raises:
            WorkloadError: one ended at once.
        """
        while self._board.total().started < len(self.writers):
            if any(writer.poll() is not None for writer in self.writers):
                raise WorkloadError("a writer ended at once")
            time.sleep(_PAUSE)
        self._note_beginning()

    def finish(self) -> None:
        """Make the result final, once the writers have ended."""
        self._final = self._so_far()

    def _note_beginning(self) -> None:
        self._before, self._began = self._board.total(), time.monotonic()

    def _so_far(self) -> Result:
        seconds, now = time.monotonic() - self._began, self._board.total()
        transactions = now.transactions - self._before.transactions
        return Result(transactions, now.refused - self._before.refused, seconds)
