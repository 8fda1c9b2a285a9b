"""A host that ssh reaches, with all its operations."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING, Any, TypeVar

from csf_backup_plugin.errors import Interrupted
from csf_backup_plugin.hosts import common
from csf_backup_plugin.hosts.ssh import job, read_lock, streaming
from csf_backup_plugin.hosts.ssh.command_line import SSH, VARIABLE
from csf_backup_plugin.hosts.ssh.connection import Connection
from csf_backup_plugin.hosts.ssh.lock import SshLock, held
from csf_backup_plugin.hosts.ssh.looking import Looking
from csf_backup_plugin.hosts.ssh.programs import Programs
from csf_backup_plugin.hosts.ssh.reading import Reading
from csf_backup_plugin.hosts.ssh.turns import InTurn
from csf_backup_plugin.hosts.ssh.writing import Writing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from contextlib import AbstractContextManager

    from csf_backup_plugin.cancellation import Cancellation
    from csf_backup_plugin.hosts.protocol.locking import Lock
    from csf_backup_plugin.hosts.protocol.programs import Quiesce, Running
    from csf_backup_plugin.hosts.ssh.channel import Channel
    from csf_backup_plugin.hosts.ssh.login import Login

T = TypeVar("T")


@contextlib.contextmanager
def connected(
    name: str, cancellation: Cancellation, note: Callable[[str], None], early: Login | None
) -> Iterator[SshHost]:
    """Work with a host while the block runs; the connection is made when it is first needed.

    Args:
        name: as for `connect`, like the others but `early`.
        cancellation: likewise.
        note: likewise.
        early: a login to the host that has begun; None if there is none.
    """
    ssh = os.environ.get(VARIABLE) or SSH
    connection = Connection(name, ssh, cancellation, note, early)
    try:
        yield SshHost(name, connection)
    finally:
        connection.close()


class SshHost(Looking, Reading, InTurn, Writing, Programs):
    """A machine that ssh reaches.

    Args:
        name: the name by which ssh knows it; messages contain it.
        connection: the connection to it.
    """

    def __init__(self, name: str, connection: Connection) -> None:
        self.name = name
        self.cancellation = connection.cancellation
        self._connection = connection

    def together(self, *steps: Callable[[], Any]) -> tuple[Any, ...]:
        """Carry out steps that only look, all at the same time; see `Host.together`."""
        asked = self._connection.together(steps)
        for step in asked:
            if isinstance(step.exception(), Interrupted):
                step.result()
        return tuple(step.result() for step in asked)

    @contextlib.contextmanager
    def lock(
        self,
        path: str,
        purpose: str,
        wait: float,
        waiting: Callable[[str], None],
        *,
        create: bool = True,
    ) -> Iterator[SshLock | None]:
        """Hold the lock file at `path`; see `Host.lock`."""
        with self.lock_and_look(path, purpose, wait, waiting, lambda: None, create=create) as (
            lock,
            _,
        ):
            yield lock

    def lock_and_look(
        self,
        path: str,
        purpose: str,
        wait: float,
        waiting: Callable[[str], None],
        look: Callable[[], T],
        *,
        create: bool = True,
        beside: str = "",
    ) -> AbstractContextManager[tuple[SshLock | None, T]]:
        """Hold the lock file at `path`, and look; see `Host.lock_and_look`."""
        return held(
            self._connection, path, purpose, wait, waiting, look, create=create, beside=beside
        )

    def reading(self, path: str) -> AbstractContextManager[None]:
        """Hold a shared lock on a file while the block runs; see `Host.reading`."""
        return read_lock.held(self._connection, path)

    def sending(self, path: str) -> AbstractContextManager[Channel]:
        """Read the bytes of a file while the block runs; see `Host.sending`."""
        return streaming.opened(self._connection, path, streaming.READ)

    def receiving(self, path: str) -> AbstractContextManager[Channel]:
        """Write a new file while the block runs; see `Host.receiving`."""
        return streaming.opened(self._connection, path, streaming.WRITE)

    def start(
        self,
        argv: Sequence[str],
        watched: str,
        lock: Lock | None,
        record: str,
        timeout: float = common.BEGINNING,
        *,
        note: bytes = b"",
        quiesce: Quiesce | None = None,
    ) -> AbstractContextManager[Running]:
        """Start a utility, detached; see `Host.start`."""
        if lock is not None and not (isinstance(lock, SshLock) and lock.is_of(self._connection)):
            raise common.foreign_lock(self.name)
        return job.started(self._connection, argv, watched, lock, record, timeout, note, quiesce)
