"""Signals are noted, and answered where the program asks."""

from __future__ import annotations

import os
import signal
import threading

import pytest

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
