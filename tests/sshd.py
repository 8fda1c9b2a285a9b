"""A real sshd on a free port of the loopback, with its own keys, for the current user."""

from __future__ import annotations

import contextlib
import os
import shlex
import signal
import socket
import subprocess
import time
import weakref
from typing import TYPE_CHECKING

import needed
import pytest

from csf_backup_plugin.cancellation import Cancellation
from csf_backup_plugin.hosts.connect import connect

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from proxy import Proxy

    from csf_backup_plugin.hosts.protocol.host import Host

#: Settings for interactive work that users have in ssh_config; {} is a directory.
INTERACTIVE = (
    "LogLevel DEBUG3",
    "RequestTTY force",
    "SessionType none",
    "StdinNull yes",
    "ForkAfterAuthentication yes",
    "RemoteCommand echo something else",
    "ControlMaster auto\n  ControlPath {}/master\n  ControlPersist 60",
)
#: Such settings that only affect this machine.
LOCAL = (
    "PermitLocalCommand yes\n  LocalCommand echo something else",
    "LocalForward {}/forward localhost:1",
    "IgnoreUnknown UseKeychain\n  UseKeychain yes",
)
# The input of this script ends when the process of the tests has ended, in whatever way.
_STOP_AT_END_OF_INPUT = 'read -r _; kill "$1"'


class Sshd:
    """A server; `command` is the ssh command that reaches it as host `remote`.

    It stops listening, at the latest, when the process that has started it ends, also by SIGKILL.

    Args:
        directory: an empty directory for configuration, keys and log.
        environment: variables that every session gets.
        settings: further lines of sshd_config(5).
        below: a command that runs the server, for example in a namespace.
        address: the address on which it listens.
    """

    def __init__(
        self,
        directory: Path,
        environment: Mapping[str, str],
        settings: str = "",
        below: Sequence[str] = (),
        address: str = "127.0.0.1",
    ) -> None:
        self.directory = directory
        self._below = below
        self._address = address
        self.log = directory / "log"
        for name in ("host_key", "user_key"):
            keygen = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(directory / name)]
            subprocess.run(keygen, check=True)
        self.port = _reserved_port(self)
        variables = " ".join(_quoted(f"{name}={value}") for name, value in environment.items())
        self._server = directory / "sshd_config"
        self._server.write_text(
            f"{settings}\nListenAddress {address}\nPort {self.port}\nHostKey {directory}/host_key\n"
            f"AuthorizedKeysFile {directory}/user_key.pub\nStrictModes no\nPidFile none\n"
            f"UsePAM {'no' if os.geteuid() == 0 else 'yes'}\nMaxStartups 100\nMaxSessions 100\n"
            f"AcceptEnv CSF_* OS_ROOTDIR\nPermitRootLogin yes\nLogLevel VERBOSE\n"
            f"SetEnv {variables}\n"
        )
        public = (directory / "host_key.pub").read_text()
        (directory / "known_hosts").write_text(f"remote {public}")
        self._client = directory / "ssh_config"
        self._client.write_text(
            f"Host remote\n  HostName {address}\n  HostKeyAlias remote\n  Port {self.port}\n"
            f"  UserKnownHostsFile {directory}/known_hosts\n  GlobalKnownHostsFile /dev/null\n"
            f"  IdentityFile {directory}/user_key\n  IdentitiesOnly yes\n"
            f"  SendEnv CSF_BACKUP_OS* OS_ROOTDIR\n"
        )
        self.command = shlex.join(["ssh", "-F", str(self._client)])
        self._process: subprocess.Popen[bytes] | None = None
        self._watcher: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start the server, and wait until it listens."""
        program = needed.program("sshd", "openssh-server")
        if os.geteuid() == 0:
            os.makedirs("/run/sshd", exist_ok=True)
        self._process = subprocess.Popen(
            [*self._below, program, "-D", "-f", str(self._server), "-E", str(self.log)],
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )
        self._watcher = subprocess.Popen(
            ["sh", "-c", _STOP_AT_END_OF_INPUT, "sh", str(self._process.pid)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        while not _listens(self._address, self.port):
            assert self._process.poll() is None, self.log.read_text()
            time.sleep(0.01)

    def stop(self) -> None:
        """Stop listening; sessions continue."""
        if self._watcher is not None:
            with self._watcher:
                self._watcher.kill()
            self._watcher = None
        if self._process is not None:
            self._process.terminate()
            self._process.wait()
            self._process = None

    def cut(self) -> int:
        """Kill every session; return how many there were."""
        return len(self._signal(signal.SIGKILL))

    def freeze(self) -> list[int]:
        """Stop all sessions with SIGSTOP, like a cut that the host does not notice; return them."""
        return self._signal(signal.SIGSTOP)

    def _signal(self, signum: signal.Signals) -> list[int]:
        """Send a signal to all session processes; return the processes."""
        sessions = _below(self._process.pid) if self._process else []
        for pid in sessions:
            with contextlib.suppress(ProcessLookupError):  # a login's process may have ended
                os.kill(pid, signum)
        return sessions

    def logins(self) -> int:
        """Return the number of logins."""
        return self.log.read_text().count("Accepted publickey")

    def sessions(self) -> int:
        """Return the number of sessions, of all logins."""
        return self.log.read_text().count("Starting session")

    def behind(self, proxy: Proxy) -> str:
        """Return the ssh command that reaches the server through a proxy."""
        return f"{self.command} -o Port={proxy.port}"


@contextlib.contextmanager
def reached(server: Sshd, cancellation: Cancellation | None = None) -> Iterator[Host]:
    """Yield the host behind a server."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CSF_BACKUP_SSH", server.command)
        with connect("remote", cancellation or Cancellation()) as host:
            yield host


def _below(pid: int) -> list[int]:
    """Return the sshd processes below a process: the sessions, without their programs."""
    children: list[int] = []
    gone = contextlib.suppress(FileNotFoundError, ProcessLookupError)
    with gone, open(f"/proc/{pid}/task/{pid}/children") as file:
        children = [int(child) for child in file.read().split()]
    servers = [child for child in children if _name(child).startswith("sshd")]
    return [*(below for child in servers for below in _below(child)), *servers]


def _name(pid: int) -> str:
    try:
        with open(f"/proc/{pid}/comm") as file:
            return file.read()
    except (FileNotFoundError, ProcessLookupError):
        return ""


def _reserved_port(owner: object) -> int:
    """Return a port that is reserved while its owner exists, even if no sshd listens.

    A socket that is bound but does not listen reserves it. sshd also sets SO_REUSEADDR, so it can
    still listen there (socket(7)).
    """
    reservation = socket.socket()
    weakref.finalize(owner, reservation.close)
    reservation.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    reservation.bind(("127.0.0.1", 0))
    port: int = reservation.getsockname()[1]
    return port


def _listens(address: str, port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex((address, port)) == 0


def _quoted(word: str) -> str:
    return '"' + word.replace("\\", "\\\\").replace('"', '\\"') + '"'
