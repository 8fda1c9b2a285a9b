"""A shell on the host that is talked with, line by line, within the connection."""

from __future__ import annotations

import contextlib
import os
import secrets
import select
import subprocess
import time
from typing import TYPE_CHECKING

from csf_backup_plugin.hosts.ssh.client import LOGIN, tell
from csf_backup_plugin.hosts.ssh.connection import Cut
from csf_backup_plugin.hosts.ssh.errors import os_error
from csf_backup_plugin.hosts.ssh.session import Answer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from csf_backup_plugin.hosts.ssh.connection import Connection


class Dialogue:
    """A script that says a line at a time, and reads what it is to do.

    Args:
        connection: to the host.
        script: for any POSIX shell.
        arguments: its $1 and so on; $1 is the file it is about.

    Attributes:
        login: the login within which it runs; once there has been another it is gone.

    Raises:
        HostUnreachable: there is no connection.
    """

    def __init__(self, connection: Connection, script: str, arguments: Sequence[str]) -> None:
        self._connection = connection
        self._path = arguments[0]
        self._mark = secrets.token_hex(16)
        self._said, self._silent = b"", False
        self._process = connection.session(script, arguments, self._mark)
        self.login = connection.logins
        try:
            until = time.monotonic() + LOGIN
            while self.answer(until) != self._mark:  # what a login shell says before ours
                pass
        except BaseException:
            self.close()
            raise

    @property
    def gone(self) -> bool:
        """Whether nothing more will come; what has come meanwhile is taken in."""
        return self.login != self._connection.logins or not self._read(0)

    def tell(self, words: bytes) -> None:
        """Let the script read something; one that is gone is noticed when it is to answer."""
        tell(self._process, words)

    def answer(self, until: float = float("inf"), *, interruptible: bool = True) -> str:
        """Return the next line the script says.

        Args:
            until: the monotonic time at which it is given up.
            interruptible: whether a signal that asks us to end ends the wait.

        Raises:
            Cut: it is gone.
            OSError: it has failed.
        """
        while b"\n" not in self._said and self._read(0.05):
            if interruptible:
                self._connection.cancellation.check()
            if time.monotonic() >= until:
                raise self._connection.silent()
        raw, _, self._said = self._said.partition(b"\n")
        line = raw.decode("utf-8", "replace")
        if line.startswith(f"{self._mark} "):
            status = int(line.removeprefix(f"{self._mark} "))
            raise os_error(Answer(status, b"", self._errors()), self._path)
        if self._silent and not raw:
            raise self._connection.unreachable(self._errors(), Cut)
        return line

    def part(self, words: bytes) -> None:
        """Tell the script to end, which it does at once if its host is there."""
        self.tell(words)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(5)
        self.close()

    def close(self) -> None:
        """End the session, whatever the script does."""
        self._process.kill()
        with self._process, contextlib.suppress(OSError):
            pass

    def _errors(self) -> bytes:
        assert self._process.stderr is not None
        return self._process.stderr.read().rpartition(f"\n{self._mark}\n".encode())[2]

    def _read(self, wait: float) -> bool:
        """Take in what comes within `wait` seconds; return false once nothing more will come."""
        assert self._process.stdout is not None
        if not self._silent and select.select([self._process.stdout], [], [], wait)[0]:
            more = os.read(self._process.stdout.fileno(), 65536)
            self._said += more
            self._silent = not more
        return not self._silent
