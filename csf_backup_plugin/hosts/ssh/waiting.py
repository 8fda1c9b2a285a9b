"""Wait for answers: until they come, the time is over, a signal comes, or the connection is cut."""

from __future__ import annotations

import os
import re
import time
from typing import TYPE_CHECKING

from csf_backup_plugin.errors import HostUnreachable
from csf_backup_plugin.hosts import common
from csf_backup_plugin.hosts.ssh import library
from csf_backup_plugin.hosts.ssh.login import HURRY, Cut
from csf_backup_plugin.names import shown

if TYPE_CHECKING:
    from csf_backup_plugin.hosts.ssh.errors import Answer
    from csf_backup_plugin.hosts.ssh.link import Link
    from csf_backup_plugin.hosts.ssh.request import Pending, Request

SILENCE = 45.0  # seconds without a byte from a shell that writes one every 5 seconds
REMINDER = 60.0  # seconds between two reports of a call that takes long
_TICK = 0.05  # seconds
# What dash, bash, busybox, xargs and find print if the host cannot start another process.
_NO_FORK = re.compile(rb"(?im)^[^/\n]*(can(no|')t fork|: fork: )")


def wait_for_answer(link: Link, pending: Pending) -> Answer:
    """Return the answer to a request, once it has come.

    Raises:
        Cut: it will not come.
        HostUnreachable: the host could not start the processes for it.
        Interrupted: a signal came.
        TimeoutError: its time was over first.
    """
    asked: float | None = None
    due = pending.sent + REMINDER
    while not (answer := answer_of(link, pending)):
        try:
            if not pending.listens and time.monotonic() >= due:
                link.note(
                    f"{link.login.host} has not answered for {due - pending.sent:.0f} s; its shell "
                    "runs, and a disk there may be slow or may not answer. Still waiting."
                )
                due += REMINDER
            if pending.request.heard:
                pending.request.heard(pending.shell.progress)
            if pending.is_program:
                link.login.cancellation.check_start()
            asked = _check(link, pending.request, asked)
        except BaseException:
            stop(link, pending)
            raise
        pending.shell.wait(lambda: pending.shell.has_answer(pending.number), _TICK)
    return answer


def answer_of(link: Link, pending: Pending) -> Answer | None:
    """Return the answer to a request if it has come.

    Raises:
        Cut: it will not come.
        HostUnreachable: the host could not start the processes for it.
    """
    shell = pending.shell
    pending.answer = pending.answer or shell.take(pending.number)
    if pending.answer:
        _check_shells(link, pending, pending.answer)
        link.trial.answered()
    elif shell.is_over or _is_silent(pending):
        link.put_back(pending.before)
        pending.before = ""
        raise link.cut(shell)
    return pending.answer


def _is_silent(pending: Pending) -> bool:
    """Return whether nothing has come from the host for too long."""
    if time.monotonic() <= SILENCE + _last_sign(pending):
        return False
    # We may have been stopped ourselves; then the thread that reads has had no turn yet.
    pending.shell.wait(lambda: pending.shell.has_answer(pending.number), _TICK)
    return time.monotonic() > SILENCE + _last_sign(pending)


def _last_sign(pending: Pending) -> float:
    """Return the monotonic time of the last sign that a call goes on, or waits for its turn."""
    shell = pending.shell
    is_running = shell.last == pending.number - 1
    return max(shell.ticked, pending.sent) if pending.listens and is_running else shell.heard


def stop(link: Link, pending: Pending) -> None:
    """End a call whose time is over; if it does not end, end the login."""
    shell = pending.shell
    if pending.listens:
        shell.send(b"\n")
        shell.wait(lambda: shell.has_answer(pending.number), HURRY)
    pending.answer = shell.take(pending.number)
    if not pending.answer:
        link.leave(shell)


def _check_shells(link: Link, pending: Pending, answer: Answer) -> None:
    """Refuse an answer if a shell of ours was killed, or could not start a process.

    What the killed one has started may go on, and a listener may read the next call. So that login
    is left; the next one ends both.

    Raises:
        Cut: one was killed; a program's status then says so instead.
        HostUnreachable: one could not start a process.
    """
    is_at_once = pending.is_program and pending.count > 1
    divided = library.answers_at_once if is_at_once else library.answers_of_each
    pending.answers = divided(answer, pending.count, link.login.mark)
    if any(one.status > common.LAST_STATUS for one in (answer, *pending.answers)):
        link.leave(pending.shell)
        if not pending.listens:
            raise Cut(
                f"A process of this command on {link.login.host} was killed.",
                f"Find out why, such as for lack of memory: ssh {link.login.host} dmesg",
            )
    if is_at_once:
        _check_forks(link, answer)
    elif not pending.is_program:
        for one in pending.answers:
            _check_forks(link, one)


def _check_forks(link: Link, answer: Answer) -> None:
    """Refuse an answer if its shell could not start a process that it needed."""
    said, host = answer.errors, link.login.host
    if _NO_FORK.search(said):
        raise HostUnreachable(
            f"{host} could not start another process for us: {shown(os.fsdecode(said))}.",
            f"See how many this user has there, and how many are allowed: ssh {host} "
            "'ps -u $(id -u) | wc -l; ulimit -u'",
        )


def _check(link: Link, request: Request, asked: float | None) -> float | None:
    """End a wait if its time is over; return when a signal first asked us to end."""
    now, cancellation = time.monotonic(), link.login.cancellation
    if cancellation.received:
        asked = asked or now
        if now - asked >= request.grace or cancellation.at_once:
            cancellation.check()
        if now - asked >= request.grace + HURRY:  # for calls that clean up after the signal
            raise link.login.error(f"{link.login.host} does not answer", b"", HostUnreachable)
    if now >= request.until:
        raise TimeoutError
    return asked
