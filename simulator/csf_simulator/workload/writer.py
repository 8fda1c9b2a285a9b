"""One process of the workload: it moves money until the process that started it ends it."""

from __future__ import annotations

import select
import signal
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from random import Random

from csf_simulator.program.streams import STDIN
from csf_simulator.server.refusals import DatabaseInUse
from csf_simulator.server.server import Server
from csf_simulator.workload.board import Board, Tally
from csf_simulator.workload.transfer import transfer

_PAUSE = 0.01  # seconds between two attempts while a database is being restored


def command(
    server: Server, master: str, board: Board, writer: int, *, durable: bool
) -> Sequence[str]:
    """Return the command that starts a writer.

    It ends with its standard input, so it does not outlive the process at the other end.

    Args:
        server: the home of the repository.
        master: its master database.
        board: where it posts what it did; it must inherit the descriptor.
        writer: its number on the board.
        durable: as for `Server.transaction`.
    """
    code = f"from {__name__} import main; main()"
    numbers = [str(int(number)) for number in (board.fd, writer, durable)]
    return [sys.executable, "-I", "-c", code, server.directory, master, *numbers]


def main() -> None:
    """Run as a program, with the arguments that `command` gives."""
    signal.pthread_sigmask(signal.SIG_SETMASK, ())  # the process that started this may block some
    directory, master, *numbers = sys.argv[1:]
    fd, writer, durable = map(int, numbers)

    server = Server(directory)
    step = partial(transfer, server, master, durable=bool(durable))
    with server.client():
        work(step, Board(fd), writer, _is_over)


def work(
    step: Callable[[Random], None], board: Board, writer: int, is_over: Callable[[], bool]
) -> None:
    """Do transactions, and post each.

    Args:
        step: does one.
        board: where to post.
        writer: the number on the board.
        is_over: tells whether to end.
    """
    random = Random(writer)
    tally = Tally(started=1)
    board.post(writer, tally)
    while not is_over():
        try:
            step(random)
            tally = tally._replace(transactions=tally.transactions + 1)
        except DatabaseInUse:
            tally = tally._replace(refused=tally.refused + 1)
            time.sleep(_PAUSE)
        board.post(writer, tally)


def _is_over() -> bool:
    """Tell whether standard input has ended; nothing is ever written there."""
    return bool(select.select([STDIN], [], [], 0)[0])
