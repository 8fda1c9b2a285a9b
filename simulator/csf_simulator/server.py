"""The simulated Server: makes the transactions of all processes of one home atomic.

A file lock lets in one transaction at a time. A commit first writes down all it will do, in the
redo log, then does it; so a process killed at any instruction has done nothing, or has left a log
that the next one to take the lock carries out. Invented here: the real Server is a daemon.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from csf_simulator.database import SECTOR
from csf_simulator.files import overwrite, rename, sync_directory, truncate
from csf_simulator.redo import Changes, decode_log, encode_log
from csf_simulator.transaction import Transaction


class Server:
    """The transactions of one home, over databases that lie anywhere.

    Args:
        directory: Where the lock and the redo log lie; `create` makes it.
    """

    def __init__(self, directory: str) -> None:
        self._directory = directory
        self._lock = os.path.join(directory, "lock")
        self._log = os.path.join(directory, "redo.log")

    def create(self) -> None:
        """Make the directory and its files where they are missing; several may do so at once."""
        os.makedirs(self._directory, exist_ok=True)
        for path in (self._lock, self._log):
            os.close(os.open(path, os.O_WRONLY | os.O_CREAT, 0o666))
        sync_directory(self._directory)

    @contextmanager
    def transaction(self, *, durable: bool = True) -> Iterator[Transaction]:
        """Do all that the block asks of its transaction or, if the block raises, none of it.

        Transactions do not nest: the inner one would wait for the outer one for ever.

        Args:
            durable: Once committed it survives a power cut too, and not only the death of the
                process. That takes a flush for every file touched and two for the log.
        """
        with self.between_transactions():
            transaction = Transaction(durable=durable)
            try:
                yield transaction
                changes = transaction.changes()
                self._promise(changes, durable=durable)
            except BaseException:
                self._forget(durable=durable)
                transaction.abandon()
                raise
            finally:
                transaction.close()
            self._fulfil(changes, durable=durable)

    @contextmanager
    def between_transactions(self) -> Iterator[None]:
        """Hold off all transactions for a while: every database is in one consistent state.

        Raises:
            FileNotFoundError: `create` was never called.
        """
        lock = self._open_lock()
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            self._recover()
            yield
        finally:
            os.close(lock)

    def _open_lock(self) -> int:
        try:
            return os.open(self._lock, os.O_RDWR)
        except FileNotFoundError:
            raise FileNotFoundError(
                f"{os.path.dirname(self._directory)} is no simulator's home; csf-sim makes one"
            ) from None

    def _recover(self) -> None:
        """Carry out what a process promised that was killed before it was done."""
        with open(self._log, "rb") as file:
            log = file.read()
        changes = decode_log(log)
        if changes is not None:
            self._fulfil(changes, durable=True)
        elif log:
            self._forget(durable=False)

    def _promise(self, changes: Changes, *, durable: bool) -> None:
        """Write the log; from its last byte on, the changes are made whatever happens."""
        if any(changes):
            overwrite(self._log, {0: encode_log(changes)}, durable=durable)

    def _fulfil(self, changes: Changes, *, durable: bool) -> None:
        """Make the changes; made twice, or first half and then whole, they are the same."""
        if not any(changes):
            return
        for path, sectors in changes.sectors.items():
            with suppress(FileNotFoundError):  # the database was removed since
                self._overwrite_sectors(path, sectors, durable=durable)
        for path, unfinished in changes.databases.items():
            with suppress(FileNotFoundError):  # the database has its name already
                rename(unfinished, path, durable=durable)
        self._forget(durable=durable)

    def _overwrite_sectors(self, path: str, sectors: dict[int, bytes], *, durable: bool) -> None:
        """Put new contents into a database: the one place where a sector is ever overwritten."""
        contents = {number * SECTOR: sector for number, sector in sectors.items()}
        overwrite(path, contents, durable=durable)

    def _forget(self, *, durable: bool) -> None:
        """Empty the log."""
        truncate(self._log, durable=durable)
