"""A connection to a host: scripts are run there, and cuts are mended or told."""

from __future__ import annotations

import os
import re
import time
from typing import TYPE_CHECKING

from csf_backup_plugin.errors import HostUnreachable
from csf_backup_plugin.hosts.ssh.calls import Answer, Call, Kind
from csf_backup_plugin.hosts.ssh.command_line import CommandLine
from csf_backup_plugin.hosts.ssh.login import HURRY, LOGIN, TICK, Login, LoginFailed
from csf_backup_plugin.log import log
from csf_backup_plugin.names import shown

if TYPE_CHECKING:
    from collections.abc import Callable

    from csf_backup_plugin.cancellation import Cancellation
    from csf_backup_plugin.hosts.ssh.shell import Shell

PATIENCE = 60.0  # seconds from a cut in which the host is tried again
GRACE = 20.0  # seconds a signal leaves a script that changes something
ROOM = 1 << 30  # bytes that may come on a stream; a listing of three million files
_PAUSES = (0.1, 3.0)  # seconds between two logins, at first and at most
_FOREVER = float("inf")
_CUT = b"the connection was cut"
_LACKS = re.compile(rb"^csf lacks (.*)$", re.MULTILINE)  # what `loop.sh` says


class Cut(HostUnreachable):
    """The connection ended before the script did; nobody knows how far the script came."""


class TooMuch(HostUnreachable):
    """A script printed more than there is room for, and was given up.

    Attributes:
        output: the first of what it printed on standard output.
    """

    output = b""


class Connection:
    """A connection to a host, made when it is first needed.

    Args:
        host: a name ssh knows.
        ssh: the ssh command, as `CSF_BACKUP_SSH` has it.
        cancellation: what ends the waits for the host.

    Attributes:
        bound: the number of the login within which a lock is held; 0 for none.
        descriptors: those by which the shell on the host may have further locks.

    Raises:
        UsageError: `ssh` is no command line.
        HostUnreachable: there is no such program.
    """

    def __init__(self, host: str, ssh: str, cancellation: Cancellation) -> None:
        self.host = host
        self.cancellation = cancellation
        self.bound = 0
        self.descriptors = ["7", "8", "9"]
        self._command = CommandLine(host, ssh)
        self._login = Login(host, self._command, cancellation)
        self._cut_at: float | None = None  # since when there has been no answer, monotonic
        self._pause = _PAUSES[0]

    @property
    def login(self) -> int:
        """The number of the login that there is, as far as we know; 0 for none."""
        return self._login.count if self._login.shell else 0

    def close(self) -> None:
        """End the connection, if there is one."""
        self._login.leave()

    def run(
        self,
        script: str,
        *arguments: str,
        data: bytes = b"",
        kind: Kind = "script",
        locked: bool = False,
        within: int = 0,
        grace: float = GRACE,
        until: float = _FOREVER,
        heard: Callable[[int], None] | None = None,
        room: int = ROOM,
    ) -> Answer:
        """Run a script.

        Args:
            script: for any POSIX shell; its arguments are $1 and so on.
            arguments: of any bytes but NUL.
            data: for its standard input; none for a program.
            kind: how it is run.
            locked: refuse, if a lock was held and is lost.
            within: the login within which alone it is to run, if any.
            grace: how long a signal that asks us to end waits for it, in seconds.
            until: the monotonic time at which it is given up.
            heard: told, now and then, how far the program says it is.
            room: how many bytes it may print on a stream.

        Raises:
            HostUnreachable: there is no connection.
            Cut: there was one, and it ended before the script did.
            TooMuch: it printed more than there is room for.
            TimeoutError: it had not ended by `until`.
        """
        if within and within != self.login:
            raise self._cut(_CUT)
        shell = self._connect(until)
        if locked and self.bound not in (0, self._login.count):
            raise self.unreachable(b"it was cut off, and the lock is lost", HostUnreachable)
        call = Call.of(script, arguments, data, kind)
        shell.call(call)
        try:
            answer = self._await(shell, grace, until, heard, room)
        except TooMuch:
            self._give_up(shell, call)
            raise
        except BaseException:
            shell.abandon()
            raise
        if answer is None:
            self._login.leave()
            if lacks := _LACKS.search(shell.said()):
                raise self._unfit(os.fsdecode(lacks[1]))
            raise self._cut(_CUT + b"\n" + shell.said())
        self._cut_at, self._pause = None, _PAUSES[0]
        return answer

    def ask(
        self,
        script: str,
        *arguments: str,
        data: bytes = b"",
        kind: Kind = "script",
        grace: float = 0,
        until: float = _FOREVER,
        heard: Callable[[int], None] | None = None,
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
                    kind=kind,
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
            self.cancellation.check()
            patience = HURRY if self.cancellation.received else PATIENCE
            if time.monotonic() >= self._cut_at + patience:
                raise cut
            time.sleep(self._pause)
            self._pause = min(self._pause * 1.5, _PAUSES[1])
            try:
                self._connect(_FOREVER)
            except HostUnreachable as error:
                cut = error
            else:
                return

    def unreachable(self, errors: bytes, kind: type[HostUnreachable]) -> HostUnreachable:
        """Return an error that has ssh's own words."""
        lines = [line.strip().rstrip(b".") for line in errors.splitlines()]
        said = "; ".join(shown(os.fsdecode(line)) for line in [*filter(None, lines)][-5:])
        return kind(
            f"Host {self.host} cannot be reached: {said}.",
            f"Find out by hand why: {self._command.by_hand}",
        )

    def _await(
        self,
        shell: Shell,
        grace: float,
        until: float,
        heard: Callable[[int], None] | None,
        room: int,
    ) -> Answer | None:
        """Wait for an answer; return None if the shell is gone before it has come."""
        asked: float | None = None
        while (answer := shell.answer()) is None and not shell.is_over:
            if shell.size > room:
                raise self._too_much(shell)
            if heard:
                heard(shell.progress)
            now = time.monotonic()
            if self.cancellation.received:
                asked = asked or now
                if now - asked >= grace:
                    self.cancellation.check()
            if now >= until:
                raise TimeoutError
            shell.step(TICK)
        return answer or shell.answer()

    def _give_up(self, shell: Shell, call: Call) -> None:
        """Have no more of what a script prints."""
        if call.kind == "program":
            shell.abandon()
        else:
            self._login.leave()

    def _unfit(self, lacks: str) -> HostUnreachable:
        """Return the error of a host on which nothing can be done."""
        named = ", ".join(lacks.split()).replace("GNU-", "GNU ")
        return HostUnreachable(
            f"Host {self.host} cannot be worked on: it has no {named}.",
            "GNU coreutils and findutils, sed, grep, and flock and setsid of util-linux must be "
            f"where a command that ssh runs finds them: ssh {self.host} env",
        )

    def _too_much(self, shell: Shell) -> TooMuch:
        error = TooMuch(
            f"What was run on {self.host} printed without end, and was stopped.",
            f"Find out by hand what does that: {self._command.by_hand}",
        )
        error.output = shell.begun
        return error

    def _cut(self, errors: bytes) -> HostUnreachable:
        """Return the error of a connection that is not there, or no more; note since when."""
        self._cut_at = self._cut_at or time.monotonic()
        return self.unreachable(errors, Cut if self._login.count else HostUnreachable)

    def _connect(self, until: float) -> Shell:
        """Return the shell on the host, which has nothing else to do."""
        shell = self._login.shell
        if shell is not None and shell.abandoned is not None and not self._settles(shell, until):
            self._login.leave()
        try:
            return self._login.enter(until)
        except LoginFailed as failure:
            raise self._cut(failure.said) from None

    def _settles(self, shell: Shell, until: float) -> bool:
        """Wait for the end of what nobody waited for; return false if it has none.

        Raises:
            TimeoutError: it had none by `until`.
        """
        assert shell.abandoned is not None
        while shell.answer() is None:
            shell.forget()
            now = time.monotonic()
            late = shell.abandoned + (HURRY if self.cancellation.received else LOGIN)
            if shell.is_over or now >= late:
                return False
            if now >= until:
                raise TimeoutError
            self.cancellation.check()
            shell.step(TICK)
        return True
