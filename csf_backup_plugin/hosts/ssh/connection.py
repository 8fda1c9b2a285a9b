"""A connection to a host: scripts are run there, and cuts are mended or told."""

from __future__ import annotations

import secrets
import subprocess
import time
from typing import TYPE_CHECKING

from csf_backup_plugin import interrupts
from csf_backup_plugin.errors import HostUnreachable
from csf_backup_plugin.hosts.ssh.client import Client, start, tell
from csf_backup_plugin.hosts.ssh.login import Login, LoginFailed
from csf_backup_plugin.hosts.ssh.session import Answer, answer, command, framed
from csf_backup_plugin.names import shown

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

PATIENCE = 60.0  # seconds from a cut in which the host is tried again
HURRY = 10.0  # seconds likewise, once a signal has asked us to end
GRACE = 20.0  # seconds a signal leaves a script that changes something
_PAUSES = (0.1, 3.0)  # seconds between two logins, at first and at most
_FOREVER = float("inf")


class Cut(HostUnreachable):
    """The connection ended before the script did; nobody knows how far the script came."""


class Connection:
    """A connection to a host, made when it is first needed.

    Args:
        host: a name ssh knows.
        ssh: the ssh command, as `CSF_BACKUP_SSH` has it.

    Attributes:
        bound: the number of the login within which a lock is held; 0 for none.

    Raises:
        UsageError: `ssh` is no command line.
        HostUnreachable: there is no such program.
    """

    def __init__(self, host: str, ssh: str) -> None:
        self.host = host
        self.bound = 0
        self._login = Login(host, ssh)
        self._cut_at: float | None = None  # since when there has been no answer, monotonic

    @property
    def logins(self) -> int:
        """How often the host has let us in; the sessions of an earlier login are gone."""
        return self._login.count

    def close(self) -> None:
        """End the connection, if there is one."""
        self._login.close()

    def run(
        self,
        script: str,
        *arguments: str,
        data: bytes = b"",
        locked: bool = False,
        grace: float = GRACE,
        until: float = _FOREVER,
        heard: Callable[[bytes], None] | None = None,
    ) -> Answer:
        """Run a script.

        Args:
            script: for any POSIX shell; its arguments are $1 and so on.
            arguments: of any bytes but NUL.
            data: for its standard input.
            locked: refuse, if a lock was held and is lost.
            grace: how long a signal that asks us to end waits for it, in seconds.
            until: the monotonic time at which it is given up.
            heard: told, now and then, what stands on standard error so far.

        Raises:
            HostUnreachable: there is no connection.
            Cut: there was one, and it ended before the script did.
            TimeoutError: it had not ended by `until`.
        """
        self._connect()
        if locked and self.bound not in (0, self.logins):
            raise self.unreachable(b"it was cut off, and the lock is lost", HostUnreachable)
        mark = secrets.token_hex(16)
        frame = framed(script, arguments, mark)
        with Client(self._login.within(command(frame)), frame + data) as client:
            client.wait(grace, until, heard)
            found, errors = answer(mark, client.output, client.errors), client.errors
        if found is None:
            self._login.leave()
            raise self._cut(errors)
        self._cut_at = None
        return found

    def ask(
        self,
        script: str,
        *arguments: str,
        data: bytes = b"",
        grace: float = 0,
        until: float = _FOREVER,
        heard: Callable[[bytes], None] | None = None,
    ) -> Answer:
        """Run a script that may be run again; if the connection is cut, run it again.

        Args, Raises: as for `run`; but no cut that is mended is told.
        """
        while True:
            try:
                return self.run(
                    script, *arguments, data=data, grace=grace, until=until, heard=heard
                )
            except Cut:
                self.reconnect()

    def reconnect(self) -> None:
        """Have a connection again after a cut.

        Raises:
            HostUnreachable: there has been no answer for `PATIENCE`, or `HURRY` if we are to end.
        """
        pause = _PAUSES[0]
        while True:
            patience = HURRY if interrupts.received() else PATIENCE
            last = time.monotonic() >= (self._cut_at or time.monotonic()) + patience
            try:
                self._connect()
            except HostUnreachable:
                if last:
                    raise
            else:
                if not last:
                    return
                raise self.unreachable(b"it lets us in, and does not answer", Cut)
            interrupts.check()
            time.sleep(pause)
            pause = min(pause * 1.5, _PAUSES[1])

    def session(self, script: str, arguments: Sequence[str], mark: str) -> subprocess.Popen[bytes]:
        """Start a script that is talked with: all three streams are pipes.

        Args:
            script: for any POSIX shell.
            arguments: its $1 and so on.
            mark: as for `session.framed`.

        Raises:
            HostUnreachable: there is no connection.
        """
        self._connect()
        frame, pipe = framed(script, arguments, mark), subprocess.PIPE
        process = start(self._login.within(command(frame)), pipe, pipe, pipe)
        tell(process, frame)
        return process

    def unreachable(self, errors: bytes, kind: type[HostUnreachable]) -> HostUnreachable:
        """Return an error that has ssh's own words."""
        lines = errors.decode("utf-8", "surrogateescape").strip().splitlines()[-5:]
        said = "; ".join(shown(line.strip()) for line in lines if line.strip())
        return kind(
            f"Host {self.host} cannot be reached: {said or 'the connection was cut'}.",
            f"Find out by hand why: {self._login.by_hand}",
        )

    def _cut(self, errors: bytes) -> HostUnreachable:
        """Return the error of a connection that is not there, or no more; note since when."""
        self._cut_at = self._cut_at or time.monotonic()
        return self.unreachable(errors, Cut if self.logins else HostUnreachable)

    def _connect(self) -> None:
        try:
            self._login.enter()
        except LoginFailed as failure:
            raise self._cut(failure.said) from None
