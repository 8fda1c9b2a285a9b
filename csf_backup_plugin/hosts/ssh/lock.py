"""A repository's lock, held on the host by the shell that does everything there.

That has the lock file open, locked by flock(1): the same lock that the local host takes; `lock.sh`
is its side. It starts osbackup, which inherits the descriptor. Should the connection be cut, the
shell goes; the lock stays with osbackup, and the next login's shell waits for it to have it as soon
as osbackup has ended.
"""

from __future__ import annotations

import contextlib
import os
import socket
import time
from typing import TYPE_CHECKING

from csf_backup_plugin.errors import HostUnreachable, LockBusy
from csf_backup_plugin.hosts.lock_holder import Holder, holder
from csf_backup_plugin.hosts.ssh.errors import Answer, os_error
from csf_backup_plugin.hosts.ssh.login import Cut
from csf_backup_plugin.names import shown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from csf_backup_plugin.hosts.ssh.connection import Connection

_REGAIN = 60.0  # seconds for which another holder is waited for once osbackup has ended
_SLICE = 1.0  # seconds for which the host waits at once: it is to notice that nobody is there
_PARTING = 5.0  # seconds in which a lock is to be given up


class SshLock:
    """A lock held by the shell on the host.

    Args:
        connection: to the host.
        path: the lock file.
        purpose: what it is held for; others who wait are told.
        create: whether the lock file may be made.

    Attributes:
        descriptor: the number by which the shell has it.
        unsupported, is_freed, is_left: see `Lock`.
    """

    unsupported = ""
    is_freed = True
    is_left = False

    def __init__(self, connection: Connection, path: str, purpose: str, *, create: bool) -> None:
        self._connection = connection
        self._path = path
        self._purpose = purpose
        self._create = create
        self.descriptor = connection.descriptors.pop()
        self._tried = self._held = 0  # the logins within which it was tried last, and is held

    @property
    def is_held(self) -> bool:
        """Whether the shell that there is holds it."""
        return self._held == self._connection.login != 0

    def is_of(self, connection: Connection) -> bool:
        """Tell whether it is held by the shell of that connection."""
        return self._connection is connection

    def take(self, wait: float, waiting: Callable[[str], None] = lambda _holder: None) -> bool:
        """Return true once the lock is held; false where no file is there and none is to be made.

        Args:
            wait: for how long another holder is waited for, in seconds.
            waiting: told who holds it, if anybody does.

        Raises:
            LockBusy: another holder kept it.
            Cut: the shell is gone.
        """
        until = time.monotonic() + wait
        by = self._try(0)
        if by and wait:
            waiting(by.name)
        while by:
            left = until - time.monotonic()
            if left <= 0:
                raise LockBusy(
                    f"The repository is locked: {shown(self._path)} on {self._connection.host} is "
                    f"held by {by.name}.",
                    by.next_step,
                )
            by = self._try(min(left, _SLICE))
        return self._held == self._tried

    def try_once(self, timeout: float) -> None:
        """Take the lock if it is free; else have the file open, to wait for it.

        Args:
            timeout: in which there is to be an answer, in seconds.

        Raises:
            Cut: the shell is gone.
            TimeoutError: there was none.
        """
        self._try(0, until=time.monotonic() + timeout)

    def regain(self) -> None:
        """Hold the lock again if the connection was cut, now that the utility has ended.

        Raises:
            LockBusy: another holder has it, and keeps it for `_REGAIN`.
        """
        until = time.monotonic() + _REGAIN
        while not self.is_held:
            try:
                if not self.take(until - time.monotonic()):
                    return
            except Cut as cut:
                self._connection.reconnect(cut)

    def end(self, how: str) -> None:
        """Give the lock up, if its shell is still there; see `lock.sh`."""
        self._connection.descriptors.append(self.descriptor)
        self._holds(0)
        if not self._tried or self._tried != self._connection.login:
            return
        words = ("lock_end", self.descriptor, self._path, "leave" if self.is_left else how)
        until = time.monotonic() + _PARTING
        with contextlib.suppress(HostUnreachable, TimeoutError):
            self._connection.run(*words, kind="here", until=until)

    def _try(self, wait: float, until: float = float("inf")) -> Holder | None:
        """Try to take the lock; wait so many seconds for it.

        Args:
            wait: how long the host waits for another holder, in seconds.
            until: the monotonic time at which its answer is given up.

        Returns:
            Who holds it, if another one does.

        Raises:
            Cut: the shell is gone.
        """
        words = (
            *("lock_take", self.descriptor, self._path, self._purpose),
            f"{os.getpid()} on {socket.gethostname()}",
            *("1" if self._create else "", f"{wait:.3f}" if wait else "0"),
        )
        try:
            answer = self._connection.run(*words, kind="here", grace=0, until=until)
        finally:
            self._tried = self._connection.login
        if answer.status:
            raise os_error(Answer(answer.status, b"", answer.output), self._path)
        for line in answer.output.decode("utf-8", "replace").splitlines():
            word, _, named = line.partition(" ")
            if word == "busy":
                return holder(named, self._path)
            if word == "unsupported":
                words_said = Answer(1, b"", named.encode())
                self.unsupported = os_error(words_said, self._path).strerror or named
            if word == "held":
                self._holds(self._tried)
        return None

    def _holds(self, login: int) -> None:
        """Note within which login it is held; 0 for none."""
        if self._held:
            self._connection.bound.remove(self._held)
        if login:
            self._connection.bound.append(login)
        self._held = login


@contextlib.contextmanager
def held(
    connection: Connection,
    path: str,
    purpose: str,
    wait: float,
    waiting: Callable[[str], None],
    *,
    create: bool,
) -> Iterator[SshLock | None]:
    """Hold the lock file at `path` while the block runs; see `Host.lock`."""
    lock = SshLock(connection, path, purpose, create=create)
    try:
        there = lock.take(wait, lambda holder: waiting(f"waiting up to {wait:g} s for {holder}"))
        yield lock if there else None
    except BaseException:
        lock.end("discard")
        raise
    lock.end("release")
