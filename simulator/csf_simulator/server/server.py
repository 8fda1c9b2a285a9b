"""The simulated Server: coordinates the processes of one home.

With a file lock, one transaction runs at a time, and backups and restores begin between two.
Invented here: the real Server is a daemon.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from functools import partial
from typing import NamedTuple

from csf_simulator.database.transaction import Transaction
from csf_simulator.server.before_images import BeforeImages
from csf_simulator.server.claims import CLIENT, RESTORE, SNAPSHOT, Claims, owner
from csf_simulator.server.committer import Committer
from csf_simulator.server.lock_file import locked
from csf_simulator.server.restores import Restores, encode_targets
from csf_simulator.server.snapshot_source import SnapshotSource, take_snapshot
from csf_simulator.system.files import sync_directory, write_at


class Pause(NamedTuple):
    """What a block may use between two transactions.

    Attributes:
        committer: to make changes with.
        require_usable: raises DatabaseInUse for a database that is being restored.
    """

    committer: Committer
    require_usable: Callable[[str], None]


class Server:
    """The transactions of one home, over databases that lie anywhere.

    Args:
        directory: where the lock, the redo log and the claims lie; `create` makes it.

    Attributes:
        directory: the same.
    """

    def __init__(self, directory: str) -> None:
        self.directory = directory
        self._lock = os.path.join(directory, "lock")
        self._log = os.path.join(directory, "redo.log")
        self._claims = Claims(os.path.join(directory, "claims"))
        self._before_images = BeforeImages()

    def create(self) -> None:
        """Make the directory and its files where they are missing; several may do so at once."""
        os.makedirs(self.directory, exist_ok=True)
        self._claims.create()
        for path in (self._lock, self._log):
            os.close(os.open(path, os.O_WRONLY | os.O_CREAT, 0o666))
        sync_directory(self.directory)

    @contextmanager
    def transaction(self, *, durable: bool = True) -> Iterator[Transaction]:
        """Make all changes of the block's transaction or, if one is impossible, none.

        Transactions do not nest: the inner one would wait for the outer one forever.

        Args:
            durable: once committed, survive a power cut too, and not only the death of the process.
                That takes a flush for every file touched and two for the log.

        Raises:
            DatabaseInUse: in the block, at the first touch of a database that is being restored.
            OSError: a change is impossible; nothing was changed, unless the undoing failed too.
        """
        with self.between_transactions() as pause:
            transaction = Transaction(pause.require_usable, durable=durable)
            try:
                with closing(transaction):
                    yield transaction
                    changes = transaction.changes()
                pause.committer.write_log(changes, durable=durable)
            except BaseException:
                pause.committer.clear_log(durable=durable)
                transaction.abandon()
                raise
            pause.committer.apply(changes, durable=durable)

    @contextmanager
    def between_transactions(self, wait: float | None = None) -> Iterator[Pause]:
        """Make all transactions wait during a block, in which all databases are consistent.

        Args:
            wait: seconds to wait for a transaction to end; without a limit, as long as it takes.

        Raises:
            DatabaseInUse: a transaction went on for all that time.
            NoServer: `create` was never called.
        """
        with locked(self._lock, wait):
            claims = self._claims.living()
            save = partial(self._before_images.save, claims[SNAPSHOT])
            committer = Committer(self._log, save)
            committer.recover()
            yield Pause(committer, Restores(claims[RESTORE]).require_usable)

    @contextmanager
    def client(self) -> Iterator[None]:
        """Be a client of the Server during a block; `clients` lists it."""
        with ExitStack() as stack:
            with self.between_transactions():
                stack.enter_context(self._claims.hold(CLIENT))
            yield

    def clients(self) -> list[str]:
        """Return the numbers of the processes that are clients, in order.

        Raises:
            NoServer: `create` was never called.
        """
        with locked(self._lock, None):
            return sorted(map(owner, self._claims.living()[CLIENT]), key=int)

    @contextmanager
    def snapshot(self, paths: Sequence[str]) -> Iterator[list[SnapshotSource]]:
        """Let a block read databases as they are at one instant between transactions.

        Transactions go on meanwhile: they save what they overwrite.

        Args:
            paths: absolute paths, each file once.

        Raises:
            DatabaseInUse: one is being restored.
            OSError: one cannot be read; `filename` says which.
            NotADatabase: one is not a database, or not of the length its header says.
        """
        with ExitStack() as stack:
            with self.between_transactions() as pause:
                for path in paths:
                    pause.require_usable(path)
                fd = stack.enter_context(self._claims.hold(SNAPSHOT))
                sources = take_snapshot(fd, paths)
            yield sources

    @contextmanager
    def restoring(self, paths: Sequence[str], wait: float | None = None) -> Iterator[None]:
        """Refuse transactions and backups of databases while the block replaces them.

        What touches one of them fails at once; other databases are not affected.

        Args:
            paths: the databases, which need not exist.
            wait: seconds to wait for a transaction to end; without a limit, as long as it takes.

        Raises:
            DatabaseInUse: one is being restored already, or a transaction went on for too long.
        """
        with ExitStack() as stack:
            with self.between_transactions(wait) as pause:
                for path in paths:
                    pause.require_usable(path)
                fd = stack.enter_context(self._claims.hold(RESTORE))
                write_at(fd, encode_targets(paths), 0)
            yield
