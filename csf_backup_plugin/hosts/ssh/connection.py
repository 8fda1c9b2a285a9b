"""One connection of the OpenSSH client, which every command of a run shares.

A first ssh, the control master, logs in; each command is a session of its own within that
connection (ssh_config(5), ControlMaster). A session costs no handshake, keeps both directions free
for any bytes, and ends with its command. What a login shell prints besides is told from the
command's output by a mark nobody can guess.
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
from typing import TYPE_CHECKING, NamedTuple

from csf_backup_plugin import interrupts
from csf_backup_plugin.errors import HostUnreachable
from csf_backup_plugin.names import shown

if TYPE_CHECKING:
    from collections.abc import Sequence

VARIABLE = "CSF_BACKUP_SSH"
PATIENCE = 60.0  # seconds in which a connection that was cut is tried again
_POLL = 0.05  # seconds
_OPTIONS = (
    *("-o", "BatchMode=yes"),  # nobody is there to answer a question
    *("-o", "ConnectTimeout=10"),
    *("-o", "ServerAliveInterval=5"),
    *("-o", "ServerAliveCountMax=3"),
)


class Cut(HostUnreachable):
    """The connection ended before the command did; nobody knows how far the command came."""


class Answer(NamedTuple):
    """How a remote command ended.

    Attributes:
        status: its exit status.
        output: what it printed on standard output.
        errors: what stood on standard error, not all of which need be the command's.
    """

    status: int
    output: bytes
    errors: bytes


class Connection:
    """A connection to a host, made when it is first needed.

    Args:
        host: a name ssh knows.
        command: the ssh command, as `CSF_BACKUP_SSH` has it.
    """

    def __init__(self, host: str, command: str) -> None:
        self.host = host
        self._ssh = [*shlex.split(command), *_OPTIONS]
        # A path of over 100 bytes would be no socket's; a user's TMPDIR may be longer.
        self._directory = tempfile.mkdtemp(prefix="csf-", dir="/tmp")
        self._socket = os.path.join(self._directory, "s")
        self._master: subprocess.Popen[bytes] | None = None
        self._reached = False  # a host that was there is waited for

    def close(self) -> None:
        """End the connection, if there is one."""
        self._drop()
        shutil.rmtree(self._directory, ignore_errors=True)

    def run(self, script: str, *arguments: str, data: bytes = b"") -> Answer:
        """Run a shell script on the host.

        Args:
            script: for any POSIX shell; its arguments are $1 and so on.
            arguments: of any bytes but NUL.
            data: for its standard input.

        Raises:
            HostUnreachable: there is no connection.
            Cut: there was one, and it ended before the script did.
        """
        mark = secrets.token_hex(16).encode()
        with open(os.memfd_create("data"), "w+b") as given:
            given.write(data)
            given.seek(0)
            process = self.session(script, arguments, mark.decode(), given.fileno())
        with process:
            output, errors = _communicate(process)
        _, begin, rest = output.partition(b"\n" + mark + b"\n")
        found, end, status = rest.rpartition(b"\n" + mark + b" ")
        if not begin or not end:
            self._drop()
            raise self.unreachable(errors, Cut)
        return Answer(int(status), found, errors)

    def ask(self, script: str, *arguments: str, data: bytes = b"") -> Answer:
        """Run a script that changes nothing; if the connection is cut, run it again.

        Raises:
            HostUnreachable: there was no connection for `PATIENCE`.
        """
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                return self.run(script, *arguments, data=data)
            except Cut:
                self.reconnect(deadline)

    def reconnect(self, deadline: float) -> None:
        """Try to have a connection again.

        Raises:
            HostUnreachable: there was none up to `deadline`, a monotonic time.
        """
        while True:
            try:
                self._connect()
            except HostUnreachable:
                if time.monotonic() >= deadline:
                    raise
                interrupts.check()
                time.sleep(_POLL)
            else:
                return

    def session(
        self, script: str, arguments: Sequence[str], mark: str, stdin: int = subprocess.PIPE
    ) -> subprocess.Popen[bytes]:
        """Start a script on the host; what it prints stands between marks.

        Args:
            script: for any POSIX shell.
            arguments: its $1 and so on.
            mark: printed on a line before it begins; after its end, followed by its exit status.
            stdin: where its standard input comes from, as for `subprocess.Popen`.

        Raises:
            HostUnreachable: there is no connection.
        """
        self._connect()
        framed = f"printf '\\n%s\\n' {mark}\n(\n{script}\n)\nprintf '\\n%s %s' {mark} $?"
        remote = shlex.join(("exec", "env", "LC_ALL=C", "sh", "-c", framed, "sh", *arguments))
        # Without the control master this ssh would log in by itself; it is to fail instead.
        words = ("-S", self._socket, "-o", "ControlMaster=no", "-o", "ProxyCommand=false")
        return _start([*self._ssh, *words, "-T", "--", self.host, remote], stdin)

    def _connect(self) -> None:
        if self._master is not None and self._master.poll() is None:
            return
        self._drop()
        words = ("-M", "-N", "-S", self._socket, "-o", "ControlPersist=no")
        self._master = _start([*self._ssh, *words, "--", self.host], subprocess.DEVNULL)
        while not os.path.exists(self._socket):
            if self._master.poll() is not None:
                errors = self._drop()
                raise self.unreachable(errors, Cut if self._reached else HostUnreachable)
            try:
                interrupts.check()
            except BaseException:
                self._drop()
                raise
            time.sleep(0.005)
        self._reached = True

    def _drop(self) -> bytes:
        """End the control master; return what it said."""
        master, self._master = self._master, None
        if master is None:
            return b""
        master.terminate()
        _, errors = master.communicate()
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self._socket)
        return errors

    def unreachable(self, errors: bytes, kind: type[HostUnreachable]) -> HostUnreachable:
        """Return an error that has ssh's own words."""
        lines = errors.decode("utf-8", "surrogateescape").strip().splitlines()[-5:]
        said = "; ".join(shown(line.strip()) for line in lines if line.strip())
        by_hand = shlex.join([*self._ssh, "--", self.host, "true"])
        return kind(
            f"Host {self.host} cannot be reached: {said or 'the connection was cut'}.",
            f"Find out by hand why: {by_hand}",
        )


def _start(argv: list[str], stdin: int = subprocess.PIPE) -> subprocess.Popen[bytes]:
    """Start an ssh that a terminal's Ctrl-C does not reach: our clean-up still needs it."""
    try:
        return subprocess.Popen(
            argv,
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
    except OSError as error:
        raise HostUnreachable(
            f"{shown(argv[0])} cannot be run: {error.strerror}.",
            f"Install the OpenSSH client, or name it in {VARIABLE}.",
        ) from None


def _communicate(process: subprocess.Popen[bytes]) -> tuple[bytes, bytes]:
    """Return what a process prints; a signal that asked us to end ends it."""
    while True:
        try:
            interrupts.check()
            return process.communicate(timeout=_POLL)
        except subprocess.TimeoutExpired:
            pass
        except BaseException:
            process.kill()
            raise
