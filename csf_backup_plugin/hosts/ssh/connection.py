"""A connection to a host: it calls functions there."""

from __future__ import annotations

import contextlib
import shlex
import time
from typing import TYPE_CHECKING, Any, TypeVar

from csf_backup_plugin.errors import HostUnreachable, Interrupted
from csf_backup_plugin.hosts.ssh import library
from csf_backup_plugin.hosts.ssh.gathering import Gathering
from csf_backup_plugin.hosts.ssh.link import Link
from csf_backup_plugin.hosts.ssh.login import HURRY, Cut, Login
from csf_backup_plugin.hosts.ssh.request import Pending, Request
from csf_backup_plugin.hosts.ssh.waiting import answer_of, stop, wait_for_answer
from csf_backup_plugin.names import shown

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from concurrent.futures import Future

    from typing_extensions import Unpack

    from csf_backup_plugin.cancellation import Cancellation
    from csf_backup_plugin.hosts.ssh.errors import Answer
    from csf_backup_plugin.hosts.ssh.library import Again
    from csf_backup_plugin.hosts.ssh.request import How
    from csf_backup_plugin.hosts.ssh.shell import Shell

T = TypeVar("T")


class LockLost(HostUnreachable):
    """There is a connection again after a cut, but a lock that was held is lost."""


class Connection:
    """A connection to a host, made when it is first needed.

    Calls of several threads are sent at once; nothing is sent behind a program until it has ended.

    Args:
        host: a name that ssh knows.
        ssh: the ssh command, as `CSF_BACKUP_SSH` has it.
        cancellation: what ends the waits for the host.
        note: is called with a sentence about a cut and what is done about it.
        early: a login to the host that has begun; None if there is none.

    Attributes:
        host: as above.
        link: the way to the shell on the host.
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
        early: Login | None = None,
    ) -> None:
        login = early or Login(host, ssh, cancellation)
        login.cancellation = cancellation
        self.host = host
        self.link = Link(login, note, self._greet)
        self.bound: list[int] = []
        self.descriptors = ["7", "8", "9"]
        self.readings: dict[str, str] = {}
        self.at_login: dict[str, tuple[str, ...]] = {}
        self._note = note
        self._watch: Pending | None = None
        self._gathering = Gathering(self._post_all, self._await_all)

    @property
    def cancellation(self) -> Cancellation:
        """What ends the waits for the host."""
        return self.link.login.cancellation

    @property
    def login(self) -> int:
        """The number of the current login, as far as is known here; 0 for none."""
        return self.link.number

    @property
    def mark(self) -> bytes:
        """The word that marks the end of a program's streams; the status follows it."""
        return self.link.login.mark.encode()

    def close(self) -> None:
        """End the connection, if there is one, after the calls that are to be made at the end.

        The host does not notice every cut: behind a proxy, a shell could run for ever and keep a
        lock. So another login ends a shell that was left, unless a later login has already done so.
        That takes `HURRY` at most, and stops at the next signal. A command that must end at once
        holds no lock, and does not wait for this.
        """
        link = self.link
        link.login.cancellation = self.cancellation.later()
        if link.before and self.login:
            self._run_at_last()
        if not self.login:
            link.leave(link.shell)
        if link.may_live and not self.cancellation.received:
            self._run_at_last()
        if link.may_live and not self.cancellation.at_once:
            self._note(
                f"Whether the shell of this command on {self.host} has ended is not known; it may "
                f"hold the repository's lock. {link.login.look}"
            )
        link.leave(link.shell, is_gone=True)

    def _run_at_last(self) -> None:
        with contextlib.suppress(HostUnreachable, Interrupted, TimeoutError):
            self.run(":", until=time.monotonic() + HURRY)

    def argv(self) -> list[str]:
        """Return the ssh command of a further login; log in first, if there is no login.

        Raises:
            HostUnreachable: the host does not let us in.
        """
        self.link.connect()
        return self.link.login.argv()

    def cut_short(self, path: str, said: bytes) -> HostUnreachable:
        """Return the error for a further login that was cut while it transferred a file."""
        what = f"The connection to {self.host} was cut while {shown(path)} went over it"
        return self.link.login.error(what, said, HostUnreachable)

    def at_last(self, *words: str) -> None:
        """Call a function before the next call, or at the end; its result is ignored."""
        with self.link.turn:
            self.link.before += f"({shlex.join(words)}) >/dev/null 2>&1\n"

    def run_unheard(self, *words: str) -> None:
        """Call a function in the shell itself, if there is one, and do not wait for the answer."""
        with self.link.turn:
            if self.link.shell and self.login:
                self._send_unheard(self.link.shell, words)

    def run(self, *words: str, data: bytes = b"", again: Again = "", **how: Unpack[How]) -> Answer:
        """Call a function.

        Args:
            words: its name, and its arguments, which may contain any byte but NUL.
            data: what `csf_data` prints.
            again: whether it may have been carried out before a cut; see `library.Again`.
            how: see `Request`.

        Raises:
            HostUnreachable: there is no connection.
            LockLost: a lock that the call depends on is lost.
            Cut: the connection ended before the answer came.
            TimeoutError: the call had not ended in time.
        """
        request = Request(library.again(again, library.step(words, data)), **how)
        if self._gathering.is_inside:
            if self._gathering.takes(request):
                return self._gathering.ask(request)
            self._gathering.wait_for_turn()
        with self.link.turn:
            pending = self._post(request)
            if pending.is_program:  # anything sent after it would end it
                return wait_for_answer(self.link, pending)
        return wait_for_answer(self.link, pending)

    def ask(self, *words: str, data: bytes = b"", again: Again = "", **how: Unpack[How]) -> Answer:
        """Call a function that may be called again, and call it again if the connection is cut.

        It takes the arguments of `run`, and raises what `run` raises, except a `Cut` from
        which it recovers.
        """
        while True:
            try:
                return self.run(*words, data=data, again=again, **how)
            except Cut as cut:
                self.link.reconnect(cut, Request("", **how).until)
                again = again or "again"

    def together(self, steps: Sequence[Callable[[], Any]]) -> list[Future[Any]]:
        """Carry out steps, each in a thread of its own; simultaneous requests become one call.

        Args:
            steps: as for `Host.together`.

        Returns:
            The steps, all of which have ended.
        """
        return self._gathering.carry_out(steps)

    def _post_all(self, requests: Sequence[Request]) -> Pending:
        """Send the requests of one batch in one call."""

        def heard(progress: int) -> None:
            for one in requests:
                if one.heard:
                    one.heard(progress)

        kind = requests[0].kind
        grace, until = max(one.grace for one in requests), max(one.until for one in requests)
        if kind == "program" and len(requests) > 1:  # the host ends those whose time is over
            text = library.at_once([library.limited(one) for one in requests])
            until += HURRY
        else:
            text = library.each([one.text for one in requests])
        with self.link.turn:
            pending = self._post(Request(text, kind, grace=grace, until=until, heard=heard))
            pending.count = len(requests)
            return pending

    def _await_all(self, pending: Pending) -> Sequence[Answer]:
        """Return the answers to the requests of one batch."""
        wait_for_answer(self.link, pending)
        return pending.answers

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
        start = Request(library.step(words, data), "locked", locked=True, grace=grace, until=until)
        with self.link.turn:
            pending = self._post(start)
            self._watch = watch = self._post(Request(library.step(following), "watch", until=until))
        return wait_for_answer(self.link, pending), watch

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
        with self.link.turn:
            pending = self._post(Request(library.step(words), "here", grace=0))
            login, until = self.link.login.count, time.monotonic() + seconds
        found = look(login)
        pending.request = pending.request._replace(until=until)
        return wait_for_answer(self.link, pending), found

    def begin(self, *words: str) -> Pending:
        """Begin a call that follows something until that ends, or until another call is made.

        Raises:
            HostUnreachable: there is no connection.
        """
        with self.link.turn:
            self._watch = self._post(Request(library.step(words), "watch"))
            return self._watch

    def look_in(self, pending: Pending, seconds: float) -> Answer | None:
        """Wait up to `seconds` for the answer to a call that `begin` has begun; return it, or None.

        Raises:
            Cut: the connection ended before the answer came.
        """
        if not pending.answer:
            pending.shell.wait(lambda: pending.shell.has_answer(pending.number), seconds)
        return answer_of(self.link, pending)

    def _post(self, request: Request) -> Pending:
        link = self.link
        if request.kind == "program":
            self.cancellation.check_start()
        shell = link.connect(request.until)
        if request.locked and any(login != link.login.count for login in self.bound):
            what = f"The connection to {self.host} was cut, and the lock is lost"
            raise LockLost(f"{what}.", "Run the same command again.")
        self._stop_watch(shell)
        before, link.before, shell.progress = link.before, "", 0
        pending = Pending(shell, shell.next_number(), request, before)
        text = before + request.text
        shell.send(library.call(pending.number, request.kind, link.login.mark, text))
        return pending

    def _greet(self, shell: Shell) -> None:
        """Send the first calls to a new shell."""
        for words in self.at_login.values():
            self._send_unheard(shell, words)

    def _send_unheard(self, shell: Shell, words: Sequence[str]) -> None:
        self._stop_watch(shell)
        text = library.step(words)
        shell.send(library.call(shell.next_number(), "here", self.link.login.mark, text))

    def _stop_watch(self, shell: Shell) -> None:
        """End the call that follows something: it would read the next call as the order to end."""
        if self._watch and self._watch.shell is shell and not self._watch.answer:
            stop(self.link, self._watch)
