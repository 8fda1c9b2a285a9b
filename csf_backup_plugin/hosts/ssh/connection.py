"""A connection to a host: scripts are run there, and cuts are mended or told."""

from __future__ import annotations

import os
import secrets
import subprocess
import time
from typing import TYPE_CHECKING

from csf_backup_plugin.errors import HostUnreachable
from csf_backup_plugin.hosts.ssh.client import HURRY, ROOM, Client, start, tell
from csf_backup_plugin.hosts.ssh.login import Login, LoginFailed
from csf_backup_plugin.hosts.ssh.session import Answer, answer, begin, framed
from csf_backup_plugin.log import log
from csf_backup_plugin.names import shown

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from csf_backup_plugin.cancellation import Cancellation

PATIENCE = 60.0  # seconds from a cut in which the host is tried again
GRACE = 20.0  # seconds a signal leaves a script that changes something
_PAUSES = (0.1, 3.0)  # seconds between two logins, at first and at most
_FOREVER = float("inf")
_REFUSED = b"Session open refused by peer"  # what ssh says
_FEW_SESSIONS = b"it allows fewer than three sessions within one login (MaxSessions in sshd_config)"


class Cut(HostUnreachable):
    """The connection ended before the script did; nobody knows how far the script came."""


class TooMuch(HostUnreachable):
    """A script printed more than there is room for, and was given up.

    Attributes:
        output: the first of what it printed on standard output.
        errors: likewise on standard error.
    """

    output = b""
    errors = b""


class Connection:
    """A connection to a host, made when it is first needed.

    Args:
        host: a name ssh knows.
        ssh: the ssh command, as `CSF_BACKUP_SSH` has it.
        cancellation: what ends the waits for the host.

    Attributes:
        bound: the number of the login within which a lock is held; 0 for none.

    Raises:
        UsageError: `ssh` is no command line.
        HostUnreachable: there is no such program.
    """

    def __init__(self, host: str, ssh: str, cancellation: Cancellation) -> None:
        self.host = host
        self.cancellation = cancellation
        self.bound = 0
        self._login = Login(host, ssh, cancellation)
        self._cut_at: float | None = None  # since when there has been no answer, monotonic
        self._pause = _PAUSES[0]

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
        room: int = ROOM,
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
            room: how many bytes it may print on a stream.

        Raises:
            HostUnreachable: there is no connection.
            Cut: there was one, and it ended before the script did.
            TooMuch: it printed more than there is room for.
            TimeoutError: it had not ended by `until`.
        """
        self._connect()
        if locked and self.bound not in (0, self.logins):
            raise self.unreachable(b"it was cut off, and the lock is lost", HostUnreachable)
        mark = secrets.token_hex(16)
        frame = framed(script, arguments, mark)
        words = self._login.within(frame)
        with Client(words, frame + data, self.cancellation) as client:
            if client.begins(begin(mark), until, interruptible=not grace):
                client.wait(grace, until, heard, room)
                if not client.has_room(room):
                    raise self._too_much(client, mark)
            elif client.process.poll() is None:
                raise self.silent()
            found, errors = answer(mark, client.output, client.errors), client.errors
        if found is None:
            self._login.leave()
            if _REFUSED in errors:
                raise self.unreachable(_FEW_SESSIONS, HostUnreachable)
            raise self._cut(errors.replace(begin(mark), b""))
        self._cut_at, self._pause = None, _PAUSES[0]
        return found

    def ask(
        self,
        script: str,
        *arguments: str,
        data: bytes = b"",
        grace: float = 0,
        until: float = _FOREVER,
        heard: Callable[[bytes], None] | None = None,
        room: int = ROOM,
    ) -> Answer:
        """Run a script that may be run again; if the connection is cut, run it again.

        Args, Raises: as for `run`; but no cut that is mended is told.
        """
        while True:
            try:
                return self.run(
                    script,
                    *arguments,
                    data=data,
                    grace=grace,
                    until=until,
                    heard=heard,
                    room=room,
                )
            except Cut as cut:
                self.reconnect(cut)

    def reconnect(self, cut: HostUnreachable) -> None:
        """Have a connection again after a cut, at more and more leisure until there is an answer.

        Args:
            cut: what was said of it.

        Raises:
            HostUnreachable: there has been no answer for `PATIENCE`, or `HURRY` if we are to end.
        """
        self._cut_at = self._cut_at or time.monotonic()
        log.warning("%s", cut.what)
        while True:
            patience = HURRY if self.cancellation.received else PATIENCE
            if time.monotonic() >= self._cut_at + patience:
                raise cut
            self.cancellation.check()
            time.sleep(self._pause)
            self._pause = min(self._pause * 1.5, _PAUSES[1])
            try:
                self._connect()
            except HostUnreachable as error:
                cut = error
            else:
                return

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
        process = start(self._login.within(frame), pipe, pipe, pipe)
        tell(process, frame)
        return process

    def unreachable(self, errors: bytes, kind: type[HostUnreachable]) -> HostUnreachable:
        """Return an error that has ssh's own words."""
        lines = errors.strip().splitlines()[-5:]
        said = "; ".join(shown(os.fsdecode(line.strip())) for line in lines if line.strip())
        return kind(
            f"Host {self.host} cannot be reached: {said or 'the connection was cut'}.",
            f"Find out by hand why: {self._login.by_hand}",
        )

    def silent(self) -> HostUnreachable:
        """End the connection, in which nothing is heard; return the error to raise."""
        self._login.leave()
        return self._cut(b"its login shell does not come to an end")

    def _too_much(self, client: Client, mark: str) -> TooMuch:
        error = TooMuch(
            f"What was run on {self.host} printed without end, and was stopped.",
            f"Find out by hand what does that: {self._login.by_hand}",
        )
        streams = (client.output, client.errors)
        error.output, error.errors = (said.partition(begin(mark))[2] for said in streams)
        return error

    def _cut(self, errors: bytes) -> HostUnreachable:
        """Return the error of a connection that is not there, or no more; note since when."""
        self._cut_at = self._cut_at or time.monotonic()
        return self.unreachable(errors, Cut if self.logins else HostUnreachable)

    def _connect(self) -> None:
        try:
            self._login.enter()
        except LoginFailed as failure:
            raise self._cut(failure.said) from None
