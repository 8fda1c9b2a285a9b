"""A repository's lock, held on the host by the shell that runs our calls.

The shell has the lock file open, and locked by flock(1): that is the same lock that the local host
takes; `lock.sh` is the host's side. The shell starts osbackup, which inherits the descriptor. If
the connection is cut, the shell ends, and osbackup keeps the lock. The shell of the next login
waits for it, and so takes it as soon as osbackup has ended.
"""

from __future__ import annotations

import contextlib
import os
import socket
import time
from typing import TYPE_CHECKING, TypeVar

from csf_backup_plugin.errors import HostUnreachable, LockBusy
from csf_backup_plugin.hosts.lock_holder import Holder, holder
from csf_backup_plugin.hosts.ssh.errors import Answer, os_error
from csf_backup_plugin.hosts.ssh.login import Cut
from csf_backup_plugin.names import shown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from csf_backup_plugin.hosts.ssh.connection import Connection

T = TypeVar("T")

_REGAIN = 60.0  # seconds to wait for another holder once osbackup has ended
_SLICE = 1.0  # seconds of one wait on the host, so that it notices a lost connection
_PARTING = 5.0  # seconds that giving up a lock may take


class SshLock:
    """A lock held by the shell on the host.

    Args:
        connection: the connection to the host.
        path: the lock file.
        purpose: what it is held for; commands that wait for it print that.
        create: whether the lock file may be made.
        beside: as for `Host.lock_and_look`.

    Attributes:
        descriptor: its number in the shell.
        unsupported, is_freed, is_left: see `Lock`.
    """

    unsupported = ""
    is_freed = True
    is_left = False

    def __init__(
        self, connection: Connection, path: str, purpose: str, *, create: bool, beside: str
    ) -> None:
        self._connection = connection
        self._path = path
        self._purpose = purpose
        self._create = create
        self._beside = beside
        self.descriptor = connection.descriptors.pop()
        self._tried = self._held = 0  # the logins within which it was last tried, and is held
        self._is_given_up = False

    @property
    def is_there(self) -> bool:
        """Whether it was taken; False if there is no lock file and none may be made."""
        return self._held == self._tried

    @property
    def is_held(self) -> bool:
        """Whether the current shell holds it."""
        return self._held == self._connection.login != 0

    def is_of(self, connection: Connection) -> bool:
        """Return whether it belongs to that connection."""
        return self._connection is connection

    def take_at_first(
        self, wait: float, waiting: Callable[[str], None], look: Callable[[], T]
    ) -> T:
        """Take the lock, and look; after a cut, do so once more, since nothing has begun.

        It takes the arguments of `take`, and raises what `take` raises; `Cut` only the second time.
        """
        for is_last in (False, True):
            self._holds(0)
            try:
                found = self.take(wait, waiting, look)
            except Cut as cut:
                if is_last:
                    raise
                self._connection.link.reconnect(cut)
            else:
                if self.is_held or not self.is_there:
                    break
        return found

    def take(self, wait: float, waiting: Callable[[str], None], look: Callable[[], T]) -> T:
        """Take the lock, and look; if there is no lock file and none may be made, only look.

        Args:
            wait: how long to wait for another holder, in seconds.
            waiting: is called with the name of another holder before a wait.
            look: what to look at under the lock, as for `Host.lock_and_look`.

        Raises:
            LockBusy: another holder kept it.
            Cut: the shell has ended.
        """
        until = time.monotonic() + wait
        by, found = self._try(0, look)
        if not by:
            return found
        if wait:
            waiting(by.name)
        while by:
            left = until - time.monotonic()
            if left <= 0:
                raise LockBusy(
                    f"The repository is locked: {shown(self._path)} on {self._connection.host} is "
                    f"held by {by.name}.",
                    by.next_step,
                )
            by, _ = self._try(min(left, _SLICE), _nothing)
        return look()

    def try_once(self, timeout: float) -> None:
        """Take the lock if it is free; if not, leave the file open, to wait for the lock.

        Args:
            timeout: how long the answer may take, in seconds, without the time for a login.

        Raises:
            Cut: the shell has ended.
            TimeoutError: there was no answer within `timeout`.
        """
        self._try(0, _nothing, timeout)

    def regain(self) -> None:
        """Take the lock again after the utility has ended, if the connection was cut.

        Raises:
            LockBusy: another holder has it, and keeps it for `_REGAIN`.
        """
        until = time.monotonic() + _REGAIN
        while not self.is_held:
            try:
                self.take(until - time.monotonic(), lambda _holder: None, _nothing)
                if not self.is_there:
                    return
            except Cut as cut:
                self._connection.link.reconnect(cut)

    @property
    def freeing(self) -> tuple[str, ...]:
        """The call that gives it up before its block ends."""
        return ("lock_free", self.descriptor, self._path)

    def release(self) -> None:
        """Note that it was given up."""
        self._is_given_up = True
        self._holds(0)

    def end(self, how: str) -> None:
        """Give the lock up, if its shell still runs; see `lock_end` of `lock.sh` for `how`."""
        self._connection.descriptors.append(self.descriptor)
        self._holds(0)
        if not self._tried or self._tried != self._connection.login:
            return
        if self._is_given_up:
            self._connection.run_unheard("lock_close", self.descriptor)
            return
        words = ("lock_end", self.descriptor, self._path, "leave" if self.is_left else how)
        until = time.monotonic() + _PARTING
        with contextlib.suppress(HostUnreachable, TimeoutError):
            self._connection.run(*words, kind="here", until=until)

    def _try(
        self, wait: float, look: Callable[[], T], timeout: float = float("inf")
    ) -> tuple[Holder | None, T]:
        """Try to take the lock, and look.

        Args:
            wait: how long the host waits for another holder, in seconds.
            look: what to look at after that, without waiting for the answer.
            timeout: how long the answer may take once there is a connection, in seconds.

        Returns:
            The other holder, or None if there is none; and what `look` returned.

        Raises:
            Cut: the shell has ended.
        """
        words = (
            *("lock_take", self.descriptor, self._path, self._purpose),
            f"{os.getpid()} on {socket.gethostname()}",
            *("1" if self._create else "", f"{wait:.3f}" if wait else "0", self._beside),
        )

        def look_behind(login: int) -> T:
            self._tried = login
            return look()

        answer, found = self._connection.run_and_look(words, look_behind, timeout)
        if answer.status:
            raise os_error(Answer(answer.status, b"", answer.output), self._path)
        for line in answer.output.decode("utf-8", "replace").splitlines():
            word, _, named = line.partition(" ")
            if word == "busy":
                return holder(named, self._path), found
            if word == "unsupported":
                words_said = Answer(1, b"", named.encode())
                self.unsupported = os_error(words_said, self._path).strerror or named
            if word == "held":
                self._holds(self._tried)
        return None, found

    def _holds(self, login: int) -> None:
        """Note the login within which it is held; 0 if it is not held."""
        if self._held:
            self._connection.bound.remove(self._held)
        if login:
            self._connection.bound.append(login)
        self._held = login


def _nothing() -> None:
    """Do nothing, where there is nothing to look at."""


@contextlib.contextmanager
def held(
    connection: Connection,
    path: str,
    purpose: str,
    wait: float,
    waiting: Callable[[str], None],
    look: Callable[[], T],
    *,
    create: bool,
    beside: str = "",
) -> Iterator[tuple[SshLock | None, T]]:
    """Hold the lock file at `path` while the block runs; see `Host.lock_and_look`."""
    lock = SshLock(connection, path, purpose, create=create, beside=beside)
    try:
        found = lock.take_at_first(
            wait, lambda holder: waiting(f"waiting up to {wait:g} s for {holder}"), look
        )
        yield (lock if lock.is_there else None), found
    except BaseException:
        lock.end("discard")
        raise
    lock.end("release")
