"""The lock of a Server: one process at a time begins something or commits."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from csf_simulator.server.locks import acquire
from csf_simulator.server.refusals import DatabaseInUse, NoServer


@contextmanager
def locked(path: str, wait: float | None) -> Iterator[None]:
    """Hold the lock of a Server during a block.

    Args:
        path: the file that is locked, in the directory of the Server.
        wait: seconds to wait for it; without a limit, as long as it takes.

    Raises:
        DatabaseInUse: another process held the lock for all that time.
        NoServer: there is no such file.
    """
    lock = _open(path)
    try:
        try:
            acquire(lock, wait)
        except BlockingIOError:
            raise DatabaseInUse(f"a transaction has gone on for {wait} seconds") from None
        yield
    finally:
        with suppress(OSError):  # the work of the block is done
            os.close(lock)


def _open(path: str) -> int:
    try:
        return os.open(path, os.O_RDWR)
    except FileNotFoundError:
        home = os.path.dirname(os.path.dirname(path))
        raise NoServer(f"{home} is not a simulator's home; make one with csf-sim") from None
