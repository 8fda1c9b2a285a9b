"""The way to the shell on the host: it logs in when that is needed, and again after a cut."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from csf_backup_plugin.errors import HostUnreachable
from csf_backup_plugin.hosts.ssh.login import HURRY, Cut
from csf_backup_plugin.hosts.ssh.request import FOREVER
from csf_backup_plugin.hosts.ssh.trial import Trial

if TYPE_CHECKING:
    from collections.abc import Callable

    from csf_backup_plugin.hosts.ssh.login import Login
    from csf_backup_plugin.hosts.ssh.shell import Shell

PATIENCE = 60.0  # seconds after a cut for which logins are tried


class Link:
    """The shell on the host, if there is one.

    Args:
        login: the logins to the host.
        note: is called with a sentence about a cut and what is done about it.
        greet: is called with each new shell, before anything else is sent to it.

    Attributes:
        login: as above.
        note: as above.
        trial: the time since the last answer.
        shell: the shell; None if there is none. It may be over.
        before: what is to be run before the next call.
        turn: is held by the thread that sends a call, or logs in.
    """

    def __init__(
        self, login: Login, note: Callable[[str], None], greet: Callable[[Shell], None]
    ) -> None:
        self.login = login
        self.note = note
        self.trial = Trial(login.host, note)
        self.shell: Shell | None = None
        self.before = ""
        self.turn = threading.RLock()
        self._greet = greet
        self._has_left = False  # whether a shell was left that may still be there

    @property
    def number(self) -> int:
        """The number of the current login, as far as is known here; 0 for none."""
        return self.login.count if self.shell and not self.shell.is_over else 0

    @property
    def may_live(self) -> bool:
        """Whether a shell that was left may still run; a later shell first ends it."""
        return self._has_left and not (self.number and self.shell and self.shell.has_answer(0))

    def put_back(self, before: str) -> None:
        """Run before the next call what was to be run before one that is lost."""
        with self.turn:
            self.before = before + self.before

    def connect(self, until: float = FOREVER) -> Shell:
        """Return the shell; log in if there is none.

        Args:
            until: the monotonic time at which that is given up.

        Raises:
            HostUnreachable: the host does not let us in, or runs nothing for us.
            Interrupted: a signal came.
            TimeoutError: none had answered by `until`.
        """
        with self.turn:
            if self.shell and not self.shell.is_over:
                return self.shell
            self.leave(self.shell)
            self.shell = self.login.enter(until)
            self._greet(self.shell)
            return self.shell

    def leave(self, shell: Shell | None, *, is_gone: bool = False) -> None:
        """End a login.

        Args:
            shell: its shell, if there is one.
            is_gone: whether the shell has nothing more to do, and ends by itself.
        """
        with self.turn:
            if shell and self.shell is shell:
                self.shell = None
                self._has_left |= not is_gone
        if shell:
            shell.close()

    def cut(self, shell: Shell) -> HostUnreachable:
        """End a login whose connection has ended; return the error."""
        said = shell.said() if shell.is_over else b"nothing has been heard of it"
        refusal = self.login.refusal(shell.take(0), said)
        self.leave(shell, is_gone=bool(refusal))
        what = f"The connection to {self.login.host} was cut"
        return refusal or self.login.error(what, said, Cut)

    def reconnect(self, cut: HostUnreachable, until: float = FOREVER) -> None:
        """Connect again after a cut, with longer and longer pauses between the attempts.

        Args:
            cut: the error of the cut.
            until: the monotonic time at which the attempts end.

        Raises:
            HostUnreachable: there was no connection by `until`, or no answer for `PATIENCE`, or for
                `HURRY` once a signal has asked us to end.
        """
        while True:
            self.login.cancellation.check()
            with self.turn:
                if self.number:
                    return  # another thread has connected again
                patience = HURRY if self.login.cancellation.received else PATIENCE
                if self.trial.lasts(cut) >= patience or time.monotonic() >= until:
                    raise cut
                self.trial.pause()
                try:
                    self.connect()
                except HostUnreachable as error:
                    cut = error
                else:
                    return
