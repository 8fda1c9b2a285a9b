"""A connection to a host: it calls functions there, and logs in again after a cut."""

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
from csf_backup_plugin.hosts.ssh.gathering import Gathering, Request
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

PATIENCE = 60.0  # seconds after a cut for which logins are tried
GRACE = 20.0  # seconds that a signal leaves to a call that changes something
_MOMENT = 2.0  # seconds that it leaves to any other call
SILENCE = 45.0  # seconds without a byte from a shell that writes one every 5 seconds
_TICK = 0.05  # seconds
# What dash, bash, busybox, xargs and find print if the host cannot start another process.
_NO_FORK = re.compile(rb"(?im)^[^/\n]*(can(no|')t fork|: fork: )")
_FOREVER = float("inf")


class LockLost(HostUnreachable):
    """There is a connection again after a cut, but a lock that was held is lost."""


class Connection:
    """A connection to a host, made when it is first needed.

    Calls of several threads are sent at once; those that are programs run one after another.

    Args:
        host: a name that ssh knows.
        ssh: the ssh command, as `CSF_BACKUP_SSH` has it.
        cancellation: what ends the waits for the host.
        note: is called with a sentence about a cut and what is done about it.
        begun: a login to the host that has begun; None if there is none.

    Attributes:
        bound: the numbers of the logins within which locks are held.
        descriptors: the numbers that the shell on the host can still use for locks.
        readings: the files that are held for reading, by descriptor.
        at_login: the first calls of each new shell, by what they are for.

    Raises:
        UsageError: `ssh` is not a command line.
        HostUnreachable: there is no such program.
    """

    def __init__(
        self,
        host: str,
        ssh: str,
        cancellation: Cancellation,
        note: Callable[[str], None],
        begun: Login | None = None,
    ) -> None:
        self.host = host
        self.cancellation = cancellation
        self.bound: list[int] = []
        self.descriptors = ["7", "8", "9"]
        self.readings: dict[str, str] = {}
        self.at_login: dict[str, tuple[str, ...]] = {}
        self._login = begun or Login(host, ssh, cancellation)
        self._login.cancellation = cancellation
        self._note = note
        self._trial = Trial(host, note)
        self._shell: Shell | None = None
        self._watch: Pending | None = None
        self._turn = threading.RLock()
        self._gathering = Gathering(self._post_all, self._await_all)
        self._before = ""  # what is to be run before the next call
        self._has_left = False  # whether a shell was left that may still be there

    @property
    def login(self) -> int:
        """The number of the current login, as far as is known here; 0 for none."""
        return self._login.count if self._shell and not self._shell.is_over else 0

    def close(self) -> None:
        """End the connection, if there is one, after the calls that are to be made at the end.

        The host does not notice every cut: behind a proxy, a shell could run for ever and keep a
        lock. So another login ends a shell that was left, unless a later login has already done so.
        That takes `HURRY` at most, and stops at the next signal. A command that must end at once
        holds no lock, and does not wait for this.
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
        """Return whether a shell that was left may still run; a later shell first ends it."""
        return self._has_left and not (self.login and self._shell and self._shell.has_answer(0))

    @property
    def mark(self) -> bytes:
        """The word that marks the end of a program's streams; the status follows it."""
        return self._login.mark.encode()

    def argv(self) -> list[str]:
        """Return the ssh command of a further login; log in first, if there is no login.

        Raises:
            HostUnreachable: the host does not let us in.
        """
        with self._turn:
            self._connect(_FOREVER)
        return self._login.argv()

    def cut_short(self, path: str, said: bytes) -> HostUnreachable:
        """Return the error for a further login that was cut while it transferred a file."""
        what = f"The connection to {self.host} was cut while {shown(path)} went over it"
        return self._login.error(what, said, HostUnreachable)

    def at_last(self, *words: str) -> None:
        """Call a function before the next call, or at the end; its result is ignored."""
        with self._turn:
            self._before += f"({shlex.join(words)}) >/dev/null 2>&1\n"

    def run_unheard(self, *words: str) -> None:
        """Call a function in the shell itself, if there is one, and do not wait for the answer."""
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
            words: its name, and its arguments, which may contain any byte but NUL.
            data: what `csf_data` prints.
            kind: how it is run.
            again: whether it may have been carried out before a cut; see `library.Again`.
            locked: whether to refuse the call if a lock was held and is lost.
            grace: for how long the call goes on after a signal that asks us to end, in seconds.
            until: the monotonic time at which the call is given up.
            heard: is called repeatedly with the progress of the call.

        Raises:
            HostUnreachable: there is no connection.
            LockLost: see `locked`.
            Cut: the connection ended before the answer came.
            TimeoutError: the call had not ended by `until`.
        """
        text = library.again(again, library.step(words, data))
        if self._gathering.is_inside:
            if (kind, locked, until) == ("script", False, _FOREVER) or kind == "program":
                asked = Request(text, grace, until, heard, is_long=kind == "program")
                return self._gathering.ask(asked)
            self._gathering.wait_for_turn()
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
            if kind == "program":  # anything sent after it would end it
                return self._await(pending, grace, until, heard)
        return self._await(pending, grace, until, heard)

    def together(self, steps: Sequence[Callable[[], Any]]) -> list[Future[Any]]:
        """Carry out steps, each in a thread of its own; simultaneous requests become one call.

        Args:
            steps: as for `Host.together`.

        Returns:
            The steps, all of which have ended.
        """
        return self._gathering.carry_out(steps)

    def _post_all(self, requests: Sequence[Request]) -> Pending:
        """Send the requests of one batch, either all short or all long, in one call."""
        texts, until = [one.text for one in requests], min(one.until for one in requests)
        with self._turn:
            if not requests[0].is_long:
                return self._post(library.each(texts), "script", until)
            self.cancellation.check_start()
            return self._post(library.at_once(texts), "program", until)

    def _await_all(self, pending: Pending, requests: Sequence[Request]) -> Sequence[Answer]:
        def heard(progress: int) -> None:
            for one in requests:
                if one.heard:
                    one.heard(progress)

        grace, until = max(one.grace for one in requests), min(one.until for one in requests)
        answer = self._await(pending, grace, until, heard)
        answers = library.answers_of_each(answer, len(requests), self._login.mark)
        if len(answers) > 1:
            self._check_forks(answer)
        for one in answers:
            self._check_shells(pending, one)
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
        """Call a function that starts something, with the locks, and at once begin to follow it.

        Args:
            words: the function that starts it, and its arguments.
            following: the call that follows it; it changes nothing if the start has failed.
            data: what `csf_data` prints for the start.
            grace: for how long the start goes on after a signal that asks us to end, in seconds.
            until: the monotonic time at which the start is given up.

        It raises what `run` raises.
        """
        with self._turn:
            pending = self._post(library.step(words, data), "locked", until, locked=True)
            self._watch = watch = self._post(library.step(following), "watch", until)
        return self._await(pending, grace, until, None), watch

    def run_and_look(
        self, words: Sequence[str], look: Callable[[int], T], seconds: float
    ) -> tuple[Answer, T]:
        """Call a function in the shell itself, and look without waiting for its answer.

        Args:
            words: its name, and its arguments.
            look: sends the requests that look, before the answer is known; it gets the number of
                the login within which they are valid.
            seconds: how long the answer may take once there is a connection.

        Returns:
            The answer, and what `look` returned.

        It raises what `run` raises.
        """
        with self._turn:
            pending = self._post(library.step(words), "here", _FOREVER)
            login, until = self._login.count, time.monotonic() + seconds
        found = look(login)
        return self._await(pending, 0, until, None), found

    def begin(self, *words: str) -> Pending:
        """Begin a call that follows something until that ends, or until another call is made.

        Raises:
            HostUnreachable: there is no connection.
        """
        with self._turn:
            self._watch = self._post(library.step(words), "watch", _FOREVER)
            return self._watch

    def look_in(self, pending: Pending, seconds: float) -> Answer | None:
        """Wait up to `seconds` for the answer to a call that `begin` has begun; return it, or None.

        Raises:
            Cut: the connection ended before the answer came.
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
        """Call a function that may be called again, and call it again if the connection is cut.

        It takes the arguments of `run`, and raises what `run` raises, except a `Cut` from
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
        """Connect again after a cut, with longer and longer pauses between the attempts.

        Args:
            cut: the error of the cut.
            until: the monotonic time at which the attempts end.

        Raises:
            HostUnreachable: there was no connection by `until`, or no answer for `PATIENCE`, or for
                `HURRY` once a signal has asked us to end.
        """
        while True:
            self.cancellation.check()
            with self._turn:
                if self.login:
                    return  # another thread has connected again
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
        """Report a cut after which we try to connect again; a long one is reported repeatedly."""
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
        """End the call that follows something: it would read the next call as the order to end."""
        if self._watch and self._watch.shell is shell and not self._watch.answer:
            self._stop(self._watch)

    def _check_shells(self, pending: Pending, answer: Answer) -> None:
        """Refuse an answer if a shell of ours was killed, or could not start a process.

        What the killed one has started may go on, and a listener may read the next call. So that
        login is left; the next one ends both.
        """
        if answer.status > common.LAST_STATUS:
            self._leave(pending.shell)
            if not pending.listens:
                raise Cut(
                    f"A process of this command on {self.host} was killed.",
                    f"Find out why, such as for lack of memory: ssh {self.host} dmesg",
                )
        if not pending.is_program:
            self._check_forks(answer)

    def _check_forks(self, answer: Answer) -> None:
        """Refuse an answer if its shell could not start a process that it needed."""
        said = answer.errors
        if _NO_FORK.search(said):
            raise HostUnreachable(
                f"{self.host} could not start another process for us: {shown(os.fsdecode(said))}.",
                f"See how many this user has there, and how many are allowed: ssh {self.host} "
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
            Cut: it will not come.
            HostUnreachable: the host could not start the processes for it.
        """
        shell = pending.shell
        pending.answer = pending.answer or shell.take(pending.number)
        if pending.answer:
            self._check_shells(pending, pending.answer)
            self._trial.answered()
        elif shell.is_over or time.monotonic() > SILENCE + (
            max(shell.ticked, pending.sent)
            if pending.listens and shell.last == pending.number - 1
            else shell.heard
        ):
            self._before, pending.before = pending.before + self._before, ""
            raise self._cut(shell)
        return pending.answer

    def _check(self, asked: float | None, grace: float, until: float) -> float | None:
        """End a wait if its time is over; return when a signal first asked us to end."""
        now = time.monotonic()
        if self.cancellation.received:
            asked = asked or now
            if now - asked >= grace or self.cancellation.at_once:
                self.cancellation.check()
            if now - asked >= grace + HURRY:  # for calls that clean up after the signal
                raise self._login.error(f"{self.host} does not answer", b"", HostUnreachable)
        if now >= until:
            raise TimeoutError
        return asked

    def _stop(self, pending: Pending) -> None:
        """End a call whose time is over; if it does not end, end the login."""
        shell = pending.shell
        if pending.listens:
            shell.send(b"\n")
            shell.wait(lambda: shell.has_answer(pending.number), HURRY)
        pending.answer = shell.take(pending.number)
        if not pending.answer:
            self._leave(shell)

    def _cut(self, shell: Shell) -> HostUnreachable:
        """Return the error for a connection that has ended."""
        said = shell.said() if shell.is_over else b"nothing has been heard of it"
        refusal = self._login.refusal(shell.take(0), said)
        self._leave(shell, is_gone=bool(refusal))
        return refusal or self._login.error(f"The connection to {self.host} was cut", said, Cut)

    def _leave(self, shell: Shell | None, *, is_gone: bool = False) -> None:
        """End a login.

        Args:
            shell: its shell, if there is one.
            is_gone: whether the shell has nothing more to do, and ends by itself.
        """
        with self._turn:
            if shell and self._shell is shell:
                self._shell = None
                self._has_left |= not is_gone
        if shell:
            shell.close()

    def _connect(self, until: float) -> Shell:
        """Return the shell on the host; log in if there is none.

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
