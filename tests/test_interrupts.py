"""Signals are noted, and answered where the program asks."""

from __future__ import annotations

import os
import signal
import subprocess
import threading

import pytest
from masks import masks

from csf_backup_plugin import interrupts
from csf_backup_plugin.errors import Interrupted


@pytest.mark.parametrize("signum", interrupts.SIGNALS)
def test_a_signal_ends_the_command_at_the_next_check_and_not_before(signum: int) -> None:
    """The first one counts; a second, impatient one changes nothing."""
    with interrupts.noted("The backup"):
        interrupts.check()
        os.kill(os.getpid(), signum)
        os.kill(os.getpid(), signal.SIGINT)
        with pytest.raises(Interrupted) as caught:
            interrupts.check()
    assert caught.value.exit_code == 128 + signum
    assert caught.value.what == f"The backup was stopped by {signal.Signals(signum).name}."
    interrupts.check()


def test_handlers_are_put_back() -> None:
    """A host that has its own keeps them."""
    before = [signal.getsignal(signum) for signum in interrupts.SIGNALS]
    with interrupts.noted("The backup"):
        assert [signal.getsignal(signum) for signum in interrupts.SIGNALS] != before
    assert [signal.getsignal(signum) for signum in interrupts.SIGNALS] == before


def test_a_signal_that_is_ignored_stays_ignored() -> None:
    """Under nohup a closed terminal does not end a backup."""
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with interrupts.noted("The backup"):
            os.kill(os.getpid(), signal.SIGHUP)
            interrupts.check()
    finally:
        signal.signal(signal.SIGHUP, before)


def test_what_a_parent_ignores_or_blocks_is_put_right_and_put_back() -> None:
    """Who ignores SIGCHLD lets every program succeed; SIGTERM is ignored by oversight only."""
    ignored = (signal.SIGCHLD, signal.SIGTERM, signal.SIGQUIT, signal.SIGUSR1)
    before = {signum: signal.signal(signum, signal.SIG_IGN) for signum in ignored}
    blocked = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
    try:
        with interrupts.noted("The backup"):
            assert signal.getsignal(signal.SIGCHLD) == signal.SIG_DFL
            assert signal.pthread_sigmask(signal.SIG_BLOCK, []) == set()
            os.kill(os.getpid(), signal.SIGUSR1)
            interrupts.check()
            os.kill(os.getpid(), signal.SIGTERM)
            with pytest.raises(Interrupted):
                interrupts.check()
        assert signal.pthread_sigmask(signal.SIG_BLOCK, []) == {*blocked, signal.SIGTERM}
        assert {signal.getsignal(signum) for signum in ignored} == {signal.SIG_IGN}
    finally:
        for signum, handler in before.items():
            signal.signal(signum, handler)
        signal.pthread_sigmask(signal.SIG_SETMASK, blocked)


def test_what_is_started_ignores_and_blocks_nothing() -> None:
    """Whatever we do, and SIGHUP under nohup too: a utility is ended by us or by itself."""
    ignored = (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGCHLD, signal.SIGTERM)
    before = {signum: signal.signal(signum, signal.SIG_IGN) for signum in ignored}
    blocked = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM, signal.SIGUSR1])
    try:
        with interrupts.noted("The backup"):
            states = subprocess.run(
                ["grep", "Sig[BI]", "/proc/self/status"], capture_output=True, check=True
            )
    finally:
        for signum, handler in before.items():
            signal.signal(signum, handler)
        signal.pthread_sigmask(signal.SIG_SETMASK, blocked)
    assert masks(states.stdout) == [0, 0]


def test_a_handler_that_is_not_pythons_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    """It could not be put back."""
    monkeypatch.setattr(signal, "getsignal", lambda _: None)
    with interrupts.noted("The backup"):
        pass


def test_outside_the_main_thread_the_block_just_runs() -> None:
    """Python lets only the main thread set handlers."""
    ran = []

    def body() -> None:
        with interrupts.noted("The backup"):
            ran.append(True)

    thread = threading.Thread(target=body)
    thread.start()
    thread.join()
    assert ran == [True]
