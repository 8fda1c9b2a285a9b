"""Run the workload in the background of a block, and end it with the block."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager

from csf_simulator.repository import repository
from csf_simulator.repository.names import RepositoryError
from csf_simulator.server.server import Server
from csf_simulator.system.environment import without_foreign
from csf_simulator.workload.board import Board
from csf_simulator.workload.running import Workload, WorkloadError, Writer
from csf_simulator.workload.writer import command

_PATIENCE = 30.0  # seconds for a writer to end its last transaction


@contextmanager
def start_workload(
    server: Server, master: str, *, writers: int = 4, durable: bool = False
) -> Iterator[Workload]:
    """Move money between the classes of a repository for as long as the block runs.

    Args:
        server: the home of the repository.
        master: its master database.
        writers: number of processes.
        durable: as for `Server.transaction`.

    Yields:
        The workload, once all writers are at work.

    Raises:
        RepositoryError: there is no such repository, or it has no class.
        WorkloadError: a writer failed.
    """
    master = os.path.abspath(master)
    if not repository.classes(server, master):
        raise RepositoryError(f"{master} has no class whose money could be moved")
    with closing(Board.make()) as board, ExitStack() as stack:
        workload = Workload(board)
        stack.callback(workload.finish)  # the last step, when the writers have ended
        for number in range(writers):
            argv = command(server, master, board, number, durable=durable)
            workload.writers.append(stack.enter_context(_started(argv, board)))
        workload.await_work()
        yield workload


@contextmanager
def _started(argv: Sequence[str], board: Board) -> Iterator[Writer]:
    """Run a writer while the block runs; it ends its last transaction.

    Raises:
        WorkloadError: it failed. A killed writer did not fail: a test may kill it on purpose.
    """
    # In a session of its own: Ctrl-C at a terminal is for the process that started it.
    with subprocess.Popen(
        argv,
        env=without_foreign(os.environ),
        stdin=subprocess.PIPE,
        pass_fds=[board.fd],
        start_new_session=True,
    ) as writer:
        try:
            yield writer
        finally:
            _end(writer)
    if writer.returncode > 0:
        raise WorkloadError("a writer failed; it said why on standard error")


def _end(writer: Writer) -> None:
    """Let a writer end its transaction, or kill it if that takes too long."""
    try:
        writer.communicate(timeout=_PATIENCE)
    except subprocess.TimeoutExpired:
        writer.kill()
