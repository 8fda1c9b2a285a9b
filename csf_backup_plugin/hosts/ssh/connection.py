"""A connection to a host: functions are called there, and cuts are mended or told."""

from __future__ import annotations

import contextlib
import os
import re
import shlex
import threading
import time
from typing import TYPE_CHECKING, Any, TypeVar

from csf_backup_plugin.errors import HostUnreachable, Interrupted
from csf_backup_plugin.hosts import common
from csf_backup_plugin.hosts.ssh import library
from csf_backup_plugin.hosts.ssh.gathering import Gathering
from csf_backup_plugin.hosts.ssh.login import HURRY, Cut, Login
from csf_backup_plugin.hosts.ssh.pending import Pending
from csf_backup_plugin.hosts.ssh.trial import Trial
from csf_backup_plugin.names import shown

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from concurrent.futures import Future

    from csf_backup_plugin.cancellation import Cancellation
    from csf_backup_plugin.hosts.ssh.errors import Answer
    from csf_backup_plugin.hosts.ssh.library import Again, Kind
    from csf_backup_plugin.hosts.ssh.shell import Shell

T = TypeVar("T")

PATIENCE = 60.0  # seconds from a cut in which the host is tried again
GRACE = 20.0  # seconds a signal leaves a call that changes something
_MOMENT = 2.0  # seconds it leaves another one
SILENCE = 45.0  # seconds in which nothing is heard of a shell that says something each 5 seconds
_TICK = 0.05  # seconds
# What dash, bash, busybox, xargs and find say of a host that has no room for another process.
_NO_FORK = re.compile(rb"(?im)^[^/\n]*(can(no|')t fork|: fork: )")
_FOREVER = float("inf")


class LockLost(HostUnreachable):
    """There is a connection; but it was cut, and with it a lock is lost under which we worked."""


class Connection:
    """A connection to a host, made when it is first needed.

    Calls of several threads go out at once; those that are programs, one after another.

    Args:
        host: a name ssh knows.
        ssh: the ssh command, as `CSF_BACKUP_SSH` has it.
        cancellation: what ends the waits for the host.
        note: told in a sentence of a cut, and of what is done about it.

    Attributes:
        bound: the numbers of the logins within which locks are held.
        descriptors: those by which the shell on the host may have further locks.
        readings: the files that are held for reading, by descriptor.
        at_login: what each new shell does first, by whatever it is for.

    Raises:
        UsageError: `ssh` is no command line.
        HostUnreachable: there is no such program.
    """

    def __init__(
        self, host: str, ssh: str, cancellation: Cancellation, note: Callable[[str], None]
    ) -> None:
        self.host = host
        self.cancellation = cancellation
        self.bound: list[int] = []
        self.descriptors = ["7", "8", "9"]
        self.readings: dict[str, str] = {}
        self.at_login: dict[str, tuple[str, ...]] = {}
        self._login = Login(host, ssh, cancellation)
        self._note = note
        self._trial = Trial(host, note)
        self._shell: Shell | None = None
        self._watch: Pending | None = None
        self._turn = threading.RLock()
        self._gathering = Gathering(self._post_each, self._await_each)
        self._before = ""  # what is to be run before the next call
        self._has_left = False  # whether a shell was left that may still be there

    @property
    def login(self) -> int:
        """The number of the login that there is, as far as we know; 0 for none."""
        return self._login.count if self._shell and not self._shell.is_over else 0

    def close(self) -> None:
        """End the connection, if there is one; what was to be done at last is done.

        The host does not learn of every cut: behind a proxy, a shell could stay for ever, and keep
        a lock. So one that was left is ended by another login, unless there has been one since.
        That takes `HURRY` at most, and no longer than until the next signal. A command that ends at
        once has no lock, and is not kept by that.
        """
        self.cancellation = self._login.cancellation = self.cancellation.later()
        if self._before and self.login:
            self._run_at_last()
        if not self.login:
            self._leave(self._shell)
        if self._may_live() and not self.cancellation.received:
            self._run_at_last()
        if self._may_live() and not self.cancellation.at_once:
            self._note(
                f"Whether the shell of this command on {self.host} has ended is not known; it may "
                f"hold the repository's lock. {self._login.look}"
            )
        self._leave(self._shell, is_gone=True)

    def _run_at_last(self) -> None:
        with contextlib.suppress(HostUnreachable, Interrupted, TimeoutError):
            self.run(":", until=time.monotonic() + HURRY)

    def _may_live(self) -> bool:
        """Tell whether a shell that was left may still be there; a later one ends it at first."""
        return self._has_left and not (self.login and self._shell and self._shell.has_answer(0))

    @property
    def mark(self) -> bytes:
        """What a program's streams end with, and its status stands behind."""
        return self._login.mark.encode()

    def argv(self) -> list[str]:
        """Return the ssh command of a login beside this one; log in first, if need be.

        Raises:
            HostUnreachable: the host does not let us in.
        """
        with self._turn:
            self._connect(_FOREVER)
        return self._login.argv()

    def cut_short(self, path: str, said: bytes) -> HostUnreachable:
        """Return the error of a login beside this one that was cut, as a file went over it."""
        what = f"The connection to {self.host} was cut while {shown(path)} went over it"
        return self._login.error(what, said, HostUnreachable)

    def at_last(self, *words: str) -> None:
        """Have a function run before the next call, or at the end; nobody learns how that went."""
        with self._turn:
            self._before += f"({shlex.join(words)}) >/dev/null 2>&1\n"

    def run_unheard(self, *words: str) -> None:
        """Have a function run in the shell itself, if there is one; nobody waits for its answer."""
        with self._turn:
            if self._shell and not self._shell.is_over:
                self._send_unheard(self._shell, words)

    def run(
        self,
        *words: str,
        data: bytes = b"",
        kind: Kind = "script",
        again: Again = "",
        locked: bool = False,
        grace: float = _MOMENT,
        until: float = _FOREVER,
        heard: Callable[[int], None] | None = None,
    ) -> Answer:
        """Call a function.

        Args:
            words: its name, and arguments of any bytes but NUL.
            data: what `csf_data` prints.
            kind: how it is run.
            again: whether it may have been carried out before a cut; see `library.Again`.
            locked: refuse, if a lock was held and is lost.
            grace: how long a signal that asks us to end waits for it, in seconds.
            until: the monotonic time at which it is given up.
            heard: told, now and then, how far it is.

        Raises:
            HostUnreachable: there is no connection.
            LockLost: see `locked`.
            Cut: there was one, and it ended before the answer came.
            TimeoutError: it had not ended by `until`.
        """
        text = library.again(again, library.step(words, data))
        if not self._gathering.is_inside:
            return self._run(text, kind, grace, until, heard, locked=locked)
        if (kind, locked, grace, until, heard) == ("script", False, _MOMENT, _FOREVER, None):
            return self._gathering.ask(text)
        with self._gathering.alone():
            return self._run(text, kind, grace, until, heard, locked=locked)

    def _run(
        self,
        text: str,
        kind: Kind,
        grace: float,
        until: float,
        heard: Callable[[int], None] | None,
        *,
        locked: bool,
    ) -> Answer:
        with self._turn:
            if kind == "program":
                self.cancellation.check_start()
            pending = self._post(text, kind, until, locked=locked)
            if kind == "program":  # what we sent behind it would be taken for the order to end it
                return self._await(pending, grace, until, heard)
        return self._await(pending, grace, until, heard)

    def together(self, steps: Sequence[Callable[[], Any]]) -> list[Future[Any]]:
        """Carry out steps, each in a thread of its own; what they ask for at once is one call.

        Args:
            steps: as for `Host.together`.

        Returns:
            The steps, all of which have ended.
        """
        return self._gathering.carry_out(steps)

    def _post_each(self, texts: Sequence[str]) -> Pending:
        with self._turn:
            return self._post(library.each(texts), "script", _FOREVER)

    def _await_each(self, pending: Pending, count: int) -> Sequence[Answer]:
        answer = self._await(pending, _MOMENT, _FOREVER, None)
        answers = library.answers_of_each(answer, count, self._login.mark)
        for one in answers:
            self._check_forks(one)
        return answers

    def run_and_follow(
        self,
        words: Sequence[str],
        following: Sequence[str],
        *,
        data: bytes = b"",
        grace: float,
        until: float,
    ) -> tuple[Answer, Pending]:
        """Call what starts something, with the locks, and begin at once what follows that.

        Args:
            words: the one call.
            following: the other one, which changes nothing if the first one has failed.
            data: what `csf_data` prints for the first one.
            grace: how long a signal that asks us to end waits for it, in seconds.
            until: the monotonic time at which it is given up.

        It raises what `run` raises.
        """
        with self._turn:
            pending = self._post(library.step(words, data), "locked", until, locked=True)
            self._watch = watch = self._post(library.step(following), "watch", until)
        return self._await(pending, grace, until, None), watch

    def run_and_look(
        self, words: Sequence[str], look: Callable[[int], T], seconds: float
    ) -> tuple[Answer, T]:
        """Call a function in the shell itself; have what is asked behind it asked at once.

        Args:
            words: its name, and arguments.
            look: asks whatever looks; it is carried out while nobody knows the answer, and learns
                within which login that will be true.
            seconds: how long the answer may take, once there is a connection.

        Returns:
            The answer, and what was found.

        It raises what `run` raises.
        """
        with self._turn:
            pending = self._post(library.step(words), "here", _FOREVER)
            login, until = self._login.count, time.monotonic() + seconds
        found = look(login)
        return self._await(pending, 0, until, None), found

    def begin(self, *words: str) -> Pending:
        """Begin a call that follows something, until that ends or another call is made.

        Raises:
            HostUnreachable: there is no connection.
        """
        with self._turn:
            self._watch = self._post(library.step(words), "watch", _FOREVER)
            return self._watch

    def look_in(self, pending: Pending, seconds: float) -> Answer | None:
        """Wait so many seconds for the answer of what `begin` has begun; return it if it has come.

        Raises:
            Cut: the connection ended before that.
        """
        if not pending.answer:
            pending.shell.wait(lambda: pending.shell.has_answer(pending.number), seconds)
        return self._answer(pending)

    def ask(
        self,
        *words: str,
        data: bytes = b"",
        kind: Kind = "script",
        again: Again = "",
        locked: bool = False,
        grace: float = _MOMENT,
        until: float = _FOREVER,
        heard: Callable[[int], None] | None = None,
    ) -> Answer:
        """Call a function that may be called again; if the connection is cut, do so.

        It takes the arguments of `run`, and raises what `run` raises. It does not report a cut from
        which it recovers.
        """
        while True:
            try:
                return self.run(
                    *words,
                    data=data,
                    kind=kind,
                    again=again,
                    locked=locked,
                    grace=grace,
                    until=until,
                    heard=heard,
                )
            except Cut as cut:
                self.reconnect(cut, until)
                again = again or "again"

    def reconnect(self, cut: HostUnreachable, until: float = _FOREVER) -> None:
        """Have a connection again after a cut, at more and more leisure until there is an answer.

        Args:
            cut: what was said of it.
            until: the monotonic time at which it is given up.

        Raises:
            HostUnreachable: it is, or there has been no answer for `PATIENCE`, or for `HURRY` once
                we are to end.
        """
        while True:
            self.cancellation.check()
            with self._turn:
                patience = HURRY if self.cancellation.received else PATIENCE
                if self._trial.lasts(cut) >= patience or time.monotonic() >= until:
                    raise cut
                self._trial.pause()
                try:
                    self._connect(_FOREVER)
                except HostUnreachable as error:
                    cut = error
                else:
                    return

    def tell(self, cut: HostUnreachable) -> None:
        """Tell of a cut that is to be mended, at once and now and then."""
        self._trial.lasts(cut)

    def _post(self, text: str, kind: Kind, until: float, *, locked: bool = False) -> Pending:
        shell = self._connect(until)
        if locked and any(login != self._login.count for login in self.bound):
            what = f"The connection to {self.host} was cut, and the lock is lost"
            raise LockLost(f"{what}.", "Run the same command again.")
        self._stop_watch(shell)
        before, self._before, shell.progress = self._before, "", 0
        pending = Pending(shell, shell.next_number(), kind, before)
        shell.send(library.call(pending.number, kind, self._login.mark, before + text))
        return pending

    def _send_unheard(self, shell: Shell, words: Sequence[str]) -> None:
        self._stop_watch(shell)
        text = library.step(words)
        shell.send(library.call(shell.next_number(), "here", self._login.mark, text))

    def _stop_watch(self, shell: Shell) -> None:
        """End what follows something, which would take the next call for the order to end."""
        if self._watch and self._watch.shell is shell and not self._watch.answer:
            self._stop(self._watch)

    def _check_forks(self, answer: Answer) -> None:
        """Do not take an answer for one if its shell could not start what was to find it."""
        said = answer.errors
        if _NO_FORK.search(said):
            raise HostUnreachable(
                f"{self.host} could not start another process for us: {shown(os.fsdecode(said))}.",
                f"See how many this user has there, and how many he may have: ssh {self.host} "
                "'ps -u $(id -u) | wc -l; ulimit -u'",
            )

    def _await(
        self,
        pending: Pending,
        grace: float,
        until: float,
        heard: Callable[[int], None] | None,
    ) -> Answer:
        """Wait for an answer.

        It takes the arguments of `run`, and raises what `run` raises.
        """
        asked: float | None = None
        while not (answer := self._answer(pending)):
            try:
                if heard:
                    heard(pending.shell.progress)
                if pending.is_program:
                    self.cancellation.check_start()
                asked = self._check(asked, grace, until)
            except BaseException:
                self._stop(pending)
                raise
            pending.shell.wait(lambda: pending.shell.has_answer(pending.number), _TICK)
        return answer

    def _answer(self, pending: Pending) -> Answer | None:
        """Return an answer that has come.

        Raises:
            Cut: none will.
            HostUnreachable: the host was too full to find it.
        """
        shell = pending.shell
        pending.answer = pending.answer or shell.take(pending.number)
        if pending.answer:
            self._trial.answered()
            if pending.listens and pending.answer.status > common.LAST_STATUS:
                self._leave(shell)  # what has listened may still be there, and take the next call
            if not pending.is_program:
                self._check_forks(pending.answer)
        elif shell.is_over or time.monotonic() > SILENCE + (
            max(shell.ticked, pending.sent)
            if pending.listens and shell.last == pending.number - 1
            else shell.heard
        ):
            self._before, pending.before = pending.before + self._before, ""
            raise self._cut(shell)
        return pending.answer

    def _check(self, asked: float | None, grace: float, until: float) -> float | None:
        """End a wait if it is time to; return since when we have been asked to end."""
        now = time.monotonic()
        if self.cancellation.received:
            asked = asked or now
            if now - asked >= grace or self.cancellation.at_once:
                self.cancellation.check()
            if now - asked >= grace + HURRY:  # of what cleans up, after that
                raise self._login.error(f"{self.host} does not answer", b"", HostUnreachable)
        if now >= until:
            raise TimeoutError
        return asked

    def _stop(self, pending: Pending) -> None:
        """End a call that is to have no more time; if that cannot be, the login."""
        shell = pending.shell
        if pending.listens:
            shell.send(b"\n")
            shell.wait(lambda: shell.has_answer(pending.number), HURRY)
        pending.answer = shell.take(pending.number)
        if not pending.answer:
            self._leave(shell)

    def _cut(self, shell: Shell) -> HostUnreachable:
        """Return the error of a connection that is not there any more."""
        said = shell.said() if shell.is_over else b"nothing has been heard of it"
        refusal = self._login.refusal(shell.take(0), said)
        self._leave(shell, is_gone=bool(refusal))
        return refusal or self._login.error(f"The connection to {self.host} was cut", said, Cut)

    def _leave(self, shell: Shell | None, *, is_gone: bool = False) -> None:
        """End a login.

        Args:
            shell: its shell, if there is one.
            is_gone: whether that has nothing more to do, and will end.
        """
        with self._turn:
            if shell and self._shell is shell:
                self._shell = None
                self._has_left |= not is_gone
        if shell:
            shell.close()

    def _connect(self, until: float) -> Shell:
        """Return the shell on the host; log in, unless there is one.

        Raises:
            HostUnreachable: the host does not let us in, or runs nothing for us.
            Interrupted: a signal came.
            TimeoutError: none had answered by `until`.
        """
        if self._shell and not self._shell.is_over:
            return self._shell
        self._leave(self._shell)
        self._shell = self._login.enter(until)
        for words in self.at_login.values():
            self._send_unheard(self._shell, words)
        return self._shell
