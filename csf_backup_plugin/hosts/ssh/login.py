"""Log in to a host, and start a shell there that reads our calls."""

from __future__ import annotations

import contextlib
import os
import secrets
import time
from typing import TYPE_CHECKING

from csf_backup_plugin.errors import HostUnreachable, Interrupted
from csf_backup_plugin.hosts.ssh import library
from csf_backup_plugin.hosts.ssh.command_line import LACKS_BASE64, CommandLine
from csf_backup_plugin.hosts.ssh.errors import Answer
from csf_backup_plugin.hosts.ssh.login_slots import VARIABLE, login_slot
from csf_backup_plugin.hosts.ssh.shell import Shell
from csf_backup_plugin.log import log
from csf_backup_plugin.names import shown
from csf_backup_plugin.system_errors import in_words

if TYPE_CHECKING:
    from csf_backup_plugin.cancellation import Cancellation
    from csf_backup_plugin.errors import BackupError

LOGIN = 30.0  # seconds that a login shell may take to start ours
HURRY = 10.0  # seconds for that, and for a new connection, after a signal that asks us to end
_TICK = 0.05  # seconds
# What `csf_lacks` of the library can find missing, other than programs.
_LACKING = {
    "test-ef": "sh whose test knows -ef",
    "byte-sh": "sh that counts bytes, and not characters, in the C locale",
}


class Cut(HostUnreachable):
    """The connection ended before the answer came; how far the call got is not known."""


class _NotIn(Exception):
    """The login failed.

    Args:
        said: the reason, in ssh's words.
    """

    def __init__(self, said: bytes) -> None:
        super().__init__(said)
        self.said = said


class Login:
    """The logins to a host.

    Args:
        host: a name that ssh knows.
        ssh: the ssh command, as `CSF_BACKUP_SSH` has it.
        cancellation: what ends the wait for the host.

    Attributes:
        host: as above.
        cancellation: as above.
        count: the number of logins so far; what ran within an earlier one has ended.
        look: a sentence that explains how to find the processes of these logins on the host.
        mark: see `library.library`.

    Raises:
        UsageError: `ssh` is not a command line.
        HostUnreachable: there is no such program.
    """

    def __init__(self, host: str, ssh: str, cancellation: Cancellation) -> None:
        self.host = host
        self._command = CommandLine(host, ssh)
        self.cancellation = cancellation
        self._run = secrets.token_hex(8)
        self.look = f"Look for its process there: grep -l csf_run={self._run} /proc/[0-9]*/environ"
        self._refused: BackupError | None = None  # the error of the first login
        self.mark = secrets.token_hex(16)
        self.count = 0
        self._early: Shell | None = None

    def start_early(self) -> None:
        """Start ssh for the first login, unless logins are counted; `enter` waits for it."""
        if VARIABLE not in os.environ:
            with contextlib.suppress(OSError):  # `enter` reports that
                self._early = self._started()

    def close(self) -> None:
        """End a login that has begun, and that nobody has entered."""
        if self._early:
            self._early.close()

    def enter(self, until: float) -> Shell:
        """Return a new shell on the host, which reads calls.

        Args:
            until: the monotonic time at which the login is given up.

        Raises:
            HostUnreachable: the host does not let us in, or runs nothing for us.
            Interrupted: a signal came.
            TimeoutError: the shell had not answered by `until`.
        """
        if self._refused:
            raise self._refused
        with login_slot(self.host, until, self.cancellation):
            shell = self._new_shell(until)
        shell.begin(library.library(self.mark))
        self.count += 1
        # The command line is not logged: its options may contain a password.
        log.info("logged in to %s, for the %d. time", self.host, self.count)
        return shell

    def argv(self) -> list[str]:
        """Return the ssh command of a further login; the next `enter` ends what that runs."""
        return self._command.argv(f"{self._run}.{self.count}")

    def _new_shell(self, until: float) -> Shell:
        try:
            shell = self._early or self._started()
        except OSError as error:
            what = f"Host {self.host} cannot be reached: this machine cannot run ssh"
            kind = Cut if self.count else HostUnreachable
            raise self.error(what, os.fsencode(in_words(error)), kind) from None
        self._early = None
        try:
            self._enter(shell, until)
        except _NotIn as error:
            shell.close()
            if self._command.suits_older(error.said):
                return self._new_shell(until)
            log.warning("no login to %s", self.host)
            what = f"Host {self.host} cannot be reached"
            if self.count:
                raise self.error(what, error.said, Cut) from None
            self._refused = self.error(what, error.said, HostUnreachable)
            raise self._refused from None
        except BaseException as error:
            shell.close()
            if isinstance(error, Interrupted) and not self.count:
                self._refused = error  # other threads wait to log in
            raise
        return shell

    def _started(self) -> Shell:
        return Shell(self._command.argv(f"{self._run}.{self.count + 1}"), self.mark)

    def _enter(self, shell: Shell, until: float) -> None:
        """Wait until the host has started a shell for us."""
        began, lines = time.monotonic(), 1
        while not shell.is_ready:
            self.cancellation.check()
            now = time.monotonic()
            late = began + (HURRY if self.cancellation.received else LOGIN)
            if shell.is_over:
                raise _NotIn(shell.said() or b"it lets us in, and runs nothing for us")
            if now >= late:  # whether it has let us in is not known
                raise _NotIn(shell.said() or b"it has run nothing for us in %d s" % (late - began))
            if now >= until:
                raise TimeoutError
            if now >= began + lines:  # a start-up file may wait for a line
                shell.send(b"\n")
                lines += 1
            shell.wait(lambda: shell.is_ready, _TICK)

    def refusal(self, answer: Answer | None, words: bytes) -> HostUnreachable | None:
        """Return the error that a shell reports when it starts, or None.

        Args:
            answer: the shell's answer to call 0, if it has come.
            words: what was printed on standard error, by ssh or on the host.
        """
        answer = answer or _without_base64(words)
        if not answer or not answer.status:
            return None
        said = os.fsdecode(answer.output)
        if said == "evict":
            return HostUnreachable(
                f"An earlier shell of this command on {self.host} cannot be ended.",
                self.look,
            )
        named = ", ".join(_LACKING.get(one, one.replace("GNU-", "GNU ")) for one in said.split())
        return HostUnreachable(
            f"Host {self.host} cannot be used: it has no {named}.",
            "GNU coreutils and findutils, sed, grep, flock and setsid of util-linux, and /proc "
            f"must be where a command that ssh runs finds them: ssh {self.host} env",
        )

    def error(self, what: str, errors: bytes, kind: type[HostUnreachable]) -> HostUnreachable:
        """Return an error that contains ssh's own words."""
        lines = [line.strip().rstrip(b".") for line in errors.splitlines()]
        said = "; ".join(shown(os.fsdecode(line)) for line in [*filter(None, lines)][-5:])
        return kind(
            f"{what}: {said}." if said else f"{what}.",
            f"Find out by hand why: {self._command.by_hand}",
        )


def _without_base64(said: bytes) -> Answer | None:
    """Return the answer of a host that lacks base64 and so cannot read the library; else None."""
    is_lacking = LACKS_BASE64 in said.splitlines()
    return Answer(1, b" base64", b"") if is_lacking else None
