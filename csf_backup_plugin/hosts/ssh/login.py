"""Being logged in to a host: an OpenSSH control master, within which every script has a session.

A session costs no handshake, and ends with its script (ssh_config(5), ControlMaster). The master
ends when we do, even by SIGKILL, and all sessions with it.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shlex
import shutil
import subprocess
import tempfile
from typing import TYPE_CHECKING

from csf_backup_plugin.errors import HostUnreachable, UsageError
from csf_backup_plugin.hosts.ssh.client import Client
from csf_backup_plugin.hosts.ssh.session import begin, command, framed
from csf_backup_plugin.log import log
from csf_backup_plugin.names import shown

if TYPE_CHECKING:
    from csf_backup_plugin.cancellation import Cancellation

VARIABLE = "CSF_BACKUP_SSH"
_PARTING = 0.5  # seconds in which the control master may end by itself
_OPTIONS = (
    *("-o", "BatchMode=yes"),  # nobody is there to answer a question
    *("-o", "ConnectTimeout=10"),
    *("-o", "ServerAliveInterval=5"),
    *("-o", "ServerAliveCountMax=3"),
    *("-o", "RemoteCommand=none"),  # a user's configuration may have these for interactive use
    *("-o", "ClearAllForwardings=yes"),
)
# What may still run of this run's earlier logins is ended first: a cut of which the host knows
# nothing yet would let it write, or hold the lock, behind our back. $1 the run, $2 this login.
# Then it tells the option by which env(1), of coreutils 8.31 and newer, undoes what a login shell,
# or whoever started sshd, has done to signals; and $3, which lets us go on.
# Then it says a byte now and then: should our machine vanish, the host's TCP finds out, within a
# quarter of an hour, that nobody acknowledges it, and the session ends with all that depends on it.
_ATTEND = """
[ "$2" = 1 ] || for file in $(grep -lzxs "csf_run=$1[.][0-9]*" /proc/[0-9]*/environ); do
  grep -qzxs "csf_run=$1[.]$2" "$file" && continue
  pid=${file#/proc/}; kill -KILL "${pid%/environ}" 2>/dev/null
done
signals=--default-signal; env $signals true 2>/dev/null || signals=
printf '%s\n%s\n' "$signals" "$3"
( while sleep 10 </dev/null >/dev/null 2>&1; do printf . || exit; done ) &
cat >/dev/null
kill $!
"""


class LoginFailed(Exception):
    """The host did not let us in, or runs nothing for us.

    Args:
        said: what ssh, or the host, said.
    """

    def __init__(self, said: bytes) -> None:
        super().__init__(said)
        self.said = said


class Login:
    """A login, made when `enter` is called.

    Args:
        host: a name ssh knows.
        ssh: the ssh command, as `CSF_BACKUP_SSH` has it.
        cancellation: what ends the wait for the host.

    Attributes:
        by_hand: the command that a user may try.
        count: how often the host has let us in; the sessions of an earlier login are gone.

    Raises:
        UsageError: `ssh` is no command line.
        HostUnreachable: there is no such program.
    """

    def __init__(self, host: str, ssh: str, cancellation: Cancellation) -> None:
        self._host = host
        self._cancellation = cancellation
        self._ssh = [*_words(ssh), *_OPTIONS]
        self.by_hand = shlex.join([*self._ssh, "--", host, "true"])
        self.count = 0
        self._run = secrets.token_hex(8)
        # A path of over 100 bytes would be no socket's; a user's TMPDIR may be longer.
        self._directory = tempfile.mkdtemp(prefix="csf-", dir="/tmp")
        self._socket = os.path.join(self._directory, "s")
        self._master: Client | None = None
        self._signals = ""  # see `command`

    def enter(self) -> None:
        """Log in, unless we are: a shell must answer there.

        Raises:
            LoginFailed: none did.
        """
        if self._master is not None and self._master.process.poll() is None:
            return
        self.leave()
        mark, ready, number = secrets.token_hex(16), secrets.token_hex(16), str(self.count + 1)
        frame = framed(_ATTEND, (self._run, number, ready), mark)
        words = ("-M", "-S", self._socket, "-o", "ControlPersist=no", "-T")
        # The kernel ends it with us; where this program is missing it ends with its last session.
        with_us = ("setpriv", "--pdeathsig", "TERM", "--") if shutil.which("setpriv") else ()
        remote = command(frame, f"{self._run}.{number}")
        argv = [*with_us, *self._ssh, *words, "--", self._host, remote]
        master = self._master = Client(argv, frame, self._cancellation, attended=True)
        try:
            if not master.begins(begin(ready), float("inf"), interruptible=True):
                said = master.errors.strip() or master.output.strip()
                raise LoginFailed(said or b"it lets us in, and runs nothing for us")
        except BaseException:
            self.leave()
            log.warning("no login to %s", self._host)
            raise
        said = master.output.partition(begin(ready))[0]
        self._signals = said.rpartition(b"\n")[2].decode("ascii")
        self.count += 1
        # Not the command line: its options may have a password among them.
        log.info("logged in to %s, for the %d. time", self._host, self.count)

    def within(self, frame: bytes) -> list[str]:
        """Return the ssh command of a session within the login, which runs a frame.

        Without the control master this ssh would log in by itself; it is to fail instead.
        """
        words = ("-S", self._socket, "-o", "ControlMaster=no", "-o", "ProxyCommand=false")
        remote = command(frame, f"{self._run}.{self.count}", self._signals)
        return [*self._ssh, *words, "-T", "--", self._host, remote]

    def leave(self) -> None:
        """End the control master."""
        master, self._master = self._master, None
        if master is not None:
            with master, contextlib.suppress(subprocess.TimeoutExpired):
                master.process.terminate()
                master.process.wait(_PARTING)
            with contextlib.suppress(FileNotFoundError):
                os.unlink(self._socket)

    def close(self) -> None:
        """End the control master for good."""
        self.leave()
        shutil.rmtree(self._directory, ignore_errors=True)


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
