"""One connection of the OpenSSH client, which every script of a command shares.

A first ssh, the control master, logs in; each script is a session of its own within that connection
(ssh_config(5), ControlMaster), which costs no handshake and ends with its script. The master ends
when we do, even by SIGKILL, and all sessions with it.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shlex
import shutil
import subprocess
import tempfile
import time
from typing import TYPE_CHECKING

from csf_backup_plugin import interrupts
from csf_backup_plugin.errors import HostUnreachable, UsageError
from csf_backup_plugin.hosts.ssh.client import Client, start, tell
from csf_backup_plugin.hosts.ssh.session import Answer, answer, command, framed
from csf_backup_plugin.names import shown

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

VARIABLE = "CSF_BACKUP_SSH"
PATIENCE = 60.0  # seconds from a cut in which the host is tried again
HURRY = 10.0  # seconds likewise, once a signal has asked us to end
_GRACE = 20.0  # seconds a signal leaves a script that changes something
_PAUSES = (0.1, 3.0)  # seconds between two logins, at first and at most
_PARTING = 0.5  # seconds in which the control master may end by itself
_FOREVER = float("inf")
_OPTIONS = (
    *("-o", "BatchMode=yes"),  # nobody is there to answer a question
    *("-o", "ConnectTimeout=10"),
    *("-o", "ServerAliveInterval=5"),
    *("-o", "ServerAliveCountMax=3"),
    *("-o", "RemoteCommand=none"),  # a user's configuration may have these for interactive use
    *("-o", "ClearAllForwardings=yes"),
)
# Says a byte now and then: should our machine vanish, the host's TCP finds out, within a quarter of
# an hour, that nobody acknowledges it, and the session ends with all that depends on it.
_ATTEND = """
( while sleep 10 </dev/null >/dev/null 2>&1; do printf . || exit; done ) &
cat >/dev/null
kill $!
"""


class Cut(HostUnreachable):
    """The connection ended before the script did; nobody knows how far the script came."""


class Connection:
    """A connection to a host, made when it is first needed.

    Args:
        host: a name ssh knows.
        ssh: the ssh command, as `CSF_BACKUP_SSH` has it.

    Attributes:
        logins: how often the host has let us in; the sessions of an earlier login are gone.
        bound: the login within which a lock is held; 0 for none.

    Raises:
        UsageError: `ssh` is no command line.
        HostUnreachable: there is no such program.
    """

    def __init__(self, host: str, ssh: str) -> None:
        self.host = host
        self.logins = self.bound = 0
        self._ssh = [*_words(ssh), *_OPTIONS]
        # A path of over 100 bytes would be no socket's; a user's TMPDIR may be longer.
        self._directory = tempfile.mkdtemp(prefix="csf-", dir="/tmp")
        self._socket = os.path.join(self._directory, "s")
        self._master: Client | None = None
        self._cut_at: float | None = None  # since when there has been no answer, monotonic

    def close(self) -> None:
        """End the connection, if there is one."""
        self._drop()
        shutil.rmtree(self._directory, ignore_errors=True)

    def run(
        self,
        script: str,
        *arguments: str,
        data: bytes = b"",
        locked: bool = False,
        grace: float = _GRACE,
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
        with Client(self._within(command(frame)), frame + data) as client:
            client.wait(grace, until, heard)
            found, errors = answer(mark, client.output, client.errors), client.errors
        if found is None:
            self._drop()
            raise self._cut(errors)
        self._cut_at = None
        return found

    def ask(
        self,
        script: str,
        *arguments: str,
        data: bytes = b"",
        until: float = _FOREVER,
        heard: Callable[[bytes], None] | None = None,
    ) -> Answer:
        """Run a script that changes nothing; if the connection is cut, run it again.

        Args, Raises: as for `run`; no signal waits for its end, and no cut that is mended is told.
        """
        while True:
            try:
                return self.run(script, *arguments, data=data, grace=0, until=until, heard=heard)
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
        process = start(self._within(command(frame)), pipe, pipe, pipe)
        tell(process, frame)
        return process

    def unreachable(self, errors: bytes, kind: type[HostUnreachable]) -> HostUnreachable:
        """Return an error that has ssh's own words."""
        lines = errors.decode("utf-8", "surrogateescape").strip().splitlines()[-5:]
        said = "; ".join(shown(line.strip()) for line in lines if line.strip())
        by_hand = shlex.join([*self._ssh, "--", self.host, "true"])
        return kind(
            f"Host {self.host} cannot be reached: {said or 'the connection was cut'}.",
            f"Find out by hand why: {by_hand}",
        )

    def _cut(self, errors: bytes) -> HostUnreachable:
        """Return the error of a connection that is not there, or no more; note since when."""
        self._cut_at = self._cut_at or time.monotonic()
        return self.unreachable(errors, Cut if self.logins else HostUnreachable)

    def _within(self, remote: str) -> list[str]:
        """Return the ssh command of a session within the connection.

        Without the control master this ssh would log in by itself; it is to fail instead.
        """
        words = ("-S", self._socket, "-o", "ControlMaster=no", "-o", "ProxyCommand=false")
        return [*self._ssh, *words, "-T", "--", self.host, remote]

    def _connect(self) -> None:
        """Log in, unless we are: a shell must answer there."""
        if self._master is not None and self._master.process.poll() is None:
            return
        self._drop()
        mark = secrets.token_hex(16)
        frame = framed(_ATTEND, (), mark)
        words = ("-M", "-S", self._socket, "-o", "ControlPersist=no", "-T")
        # The kernel ends it with us; where this program is missing it ends with its last session.
        with_us = ("setpriv", "--pdeathsig", "TERM", "--") if shutil.which("setpriv") else ()
        argv = [*with_us, *self._ssh, *words, "--", self.host, command(frame)]
        master = self._master = Client(argv, frame, attended=True)
        try:
            while f"\n{mark}\n".encode() not in master.output:
                if master.process.poll() is not None:
                    said = master.errors.strip() or master.output.strip()
                    raise self._cut(said or b"it lets us in, and runs nothing for us")
                interrupts.check()
                time.sleep(0.005)
        except BaseException:
            self._drop()
            raise
        self.logins += 1

    def _drop(self) -> None:
        """End the control master."""
        master, self._master = self._master, None
        if master is not None:
            with master, contextlib.suppress(subprocess.TimeoutExpired):
                master.process.terminate()
                master.process.wait(_PARTING)
            with contextlib.suppress(FileNotFoundError):
                os.unlink(self._socket)


def _words(ssh: str) -> list[str]:
    """Return the words of the ssh command, which a shell would read likewise."""
    try:
        words = shlex.split(ssh)
        program = words[0]
    except (ValueError, IndexError) as error:
        raise UsageError(
            f"{VARIABLE}={shown(ssh)} cannot be read: {error}.",
            "Quote it as for a shell, or unset it.",
        ) from None
    if shutil.which(program) is None:
        raise HostUnreachable(
            f"{shown(program)} cannot be run: there is no such program.",
            f"Install the OpenSSH client, or name it in {VARIABLE}.",
        )
    return words
