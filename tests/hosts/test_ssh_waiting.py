"""The wait for an answer of another host, when nothing comes for long."""

from __future__ import annotations

import time
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest

from csf_backup_plugin.cancellation import Cancellation
from csf_backup_plugin.hosts.ssh import waiting
from csf_backup_plugin.hosts.ssh.connection import Connection
from csf_backup_plugin.hosts.ssh.login import Cut
from csf_backup_plugin.hosts.ssh.request import Pending, Request
from csf_backup_plugin.hosts.ssh.waiting import answer_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from sshd import Sshd

    from csf_backup_plugin.hosts.ssh.link import Link
    from csf_backup_plugin.hosts.ssh.shell import Shell


def silent(when_waited: Callable[[Any], None]) -> tuple[Link, Pending]:
    """Return a link to a shell of which nothing has been read for long, and what it was asked."""
    shell = SimpleNamespace(
        heard=time.monotonic() - waiting.SILENCE - 1, last=0, is_over=False, take=lambda _: None
    )
    shell.wait = lambda _done, _seconds: when_waited(shell)
    link = SimpleNamespace(cut=lambda _shell: Cut("cut", ""))
    link.put_back = lambda before: setattr(link, "before", before)
    return cast("Link", link), Pending(cast("Shell", shell), 1, Request("look"), "first\n")


def test_csf_that_was_stopped_itself_reads_before_it_finds_silence() -> None:
    """After SIGSTOP and SIGCONT of csf, what the host has said meanwhile is still to be read."""

    def read(shell: Any) -> None:
        shell.heard = time.monotonic()

    assert answer_of(*silent(read)) is None


def test_a_host_that_says_nothing_is_cut_off() -> None:
    """What was to be run before the call is run before the next one."""
    link, pending = silent(lambda _shell: None)
    with pytest.raises(Cut):
        answer_of(link, pending)
    assert (link.before, pending.before) == ("first\n", "")


@pytest.mark.remote
def test_a_host_that_takes_long_is_told(sshd: Sshd, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk of the host may not answer while its shell runs: users learn what csf waits for."""
    monkeypatch.setattr(waiting, "REMINDER", 0.2)
    told: list[str] = []
    made = Connection("remote", sshd.command, Cancellation(), told.append)
    try:
        made.ask("sleep", "1")
    finally:
        made.close()
    assert told[0] == (
        "remote has not answered for 0 s; its shell runs, and a disk there may be slow or may not "
        "answer. Still waiting."
    )
    assert len(told) > 1
