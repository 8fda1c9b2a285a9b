"""Being logged in to a host: a shell there that reads calls, as long as we live."""

from __future__ import annotations

import secrets
import time
from typing import TYPE_CHECKING

from csf_backup_plugin.hosts.ssh.calls import beginning
from csf_backup_plugin.hosts.ssh.shell import Shell
from csf_backup_plugin.log import log

if TYPE_CHECKING:
    from csf_backup_plugin.cancellation import Cancellation
    from csf_backup_plugin.hosts.ssh.command_line import CommandLine

LOGIN = 30.0  # seconds in which a login shell is to come to ours
HURRY = 10.0  # seconds for the same, and for a host to be there again, once we are to end
_NOISE = 1 << 24  # bytes that may come before
TICK = 0.05  # seconds


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
        command: what leads there.
        cancellation: what ends the wait for the host.

    Attributes:
        count: how often the host has let us in; what ran within an earlier login is gone.
    """

    def __init__(self, host: str, command: CommandLine, cancellation: Cancellation) -> None:
        self._host = host
        self._command = command
        self._cancellation = cancellation
        self._run = secrets.token_hex(8)
        self._shell: Shell | None = None
        self.count = 0

    @property
    def shell(self) -> Shell | None:
        """The shell on the host, unless it is gone, as far as we know."""
        if self._shell is not None and not self._shell.is_over:
            self._shell.step(0)
        return None if self._shell is None or self._shell.is_over else self._shell

    def enter(self, until: float) -> Shell:
        """Return the shell on the host; log in, unless there is one.

        Args:
            until: the monotonic time at which that is given up.

        Raises:
            LoginFailed: none answered.
            Interrupted: a signal came.
            TimeoutError: none had answered by `until`.
        """
        if self.shell is not None:
            return self.shell
        self.leave()
        # What an earlier login may have left is known by this, and ended first.
        begin = beginning(f"{self._run}.{self.count + 1}")
        ready = secrets.token_hex(16)
        shell = self._shell = Shell(self._command.argv(ready, len(begin)))
        try:
            self._await(shell, f"\n{ready}\n".encode(), until)
        except BaseException:
            self.leave()
            log.warning("no login to %s", self._host)
            raise
        shell.send(begin)
        self.count += 1
        # Not the command line: its options may have a password among them.
        log.info("logged in to %s, for the %d. time", self._host, self.count)
        return shell

    def leave(self) -> None:
        """End the login, if there is one."""
        shell, self._shell = self._shell, None
        if shell is not None:
            shell.close()

    def _await(self, shell: Shell, ready: bytes, until: float) -> None:
        """Wait until the shell is ready; what a login shell says of its own comes before."""
        began = time.monotonic()
        shell.step(TICK)
        while ready not in shell.came:
            self._cancellation.check()
            now = time.monotonic()
            late = began + (HURRY if self._cancellation.received else LOGIN)
            if shell.is_over or now >= late or shell.size > _NOISE:
                said = shell.said() or shell.came.strip()
                raise LoginFailed(said or b"it lets us in, and runs nothing for us")
            if now >= until:
                raise TimeoutError
            shell.step(TICK)
