"""A command is cancelled once, where it checks; a deferred signal cancels it."""

from __future__ import annotations

import os
import signal
import subprocess
import threading

import pytest
from masks import masks

from csf_backup_plugin.cancellation import SIGNALS, Cancellation, deferred_signals
from csf_backup_plugin.errors import Interrupted


def test_a_new_one_lets_the_command_go_on() -> None:
    """A cancellation that nothing has cancelled does so, too."""
    cancellation = Cancellation()
    cancellation.check()
    assert not cancellation.received


def test_the_first_signal_counts() -> None:
    """It stays received after it was answered, and is answered once."""
    cancellation = Cancellation("The backup")
    cancellation.cancel(signal.SIGHUP)
    cancellation.cancel(signal.SIGINT)
    with pytest.raises(Interrupted) as caught:
        cancellation.check()
    assert caught.value.exit_code == 128 + signal.SIGHUP
    cancellation.cancel(signal.SIGTERM)
    cancellation.check()
    assert cancellation.received


def test_a_later_one_counts_the_signals_that_come_later() -> None:
    """The first of them also counts for the earlier one, if that has had none."""
    cancellation = Cancellation("The backup")
    first = cancellation.later()
    assert not first.received
    cancellation.cancel(signal.SIGHUP)
    second = cancellation.later()
    assert first.received
    assert not second.received
    cancellation.cancel(signal.SIGTERM)
    for one, signum in ((first, signal.SIGHUP), (second, signal.SIGTERM)):
        with pytest.raises(Interrupted, match="The backup was stopped") as caught:
            one.check()
        assert caught.value.exit_code == 128 + signum


def test_where_there_is_nothing_to_clean_up_it_is_answered_each_time() -> None:
    """Each thread ends, and the final cleanup is not done."""
    within = Cancellation("The look").later(at_once=True)
    within.check()
    within.cancel(signal.SIGALRM)
    for _ in range(2):
        with pytest.raises(Interrupted):
            within.check()
    assert within.later().received


def test_what_is_stopped_is_what_was_described_last() -> None:
    """A command learns during its work what it does."""
    cancellation = Cancellation("csf admin_database_backup")
    cancellation.describe("The backup of lib.db")
    cancellation.cancel(signal.SIGTERM)
    with pytest.raises(Interrupted, match=r"The backup of lib.db was stopped by SIGTERM\."):
        cancellation.check()


@pytest.mark.parametrize("signum", SIGNALS)
def test_a_signal_ends_the_command_at_the_next_check_and_not_before(signum: int) -> None:
    """The first signal counts; a second one changes nothing."""
    with deferred_signals("The backup") as cancellation:
        cancellation.check()
        os.kill(os.getpid(), signum)
        os.kill(os.getpid(), signal.SIGINT)
        with pytest.raises(Interrupted) as caught:
            cancellation.check()
    assert caught.value.exit_code == 128 + signum
    assert caught.value.what == f"The backup was stopped by {signal.Signals(signum).name}."
    cancellation.check()


def test_handlers_are_put_back() -> None:
    """A host's own handlers are kept."""
    before = [signal.getsignal(signum) for signum in SIGNALS]
    with deferred_signals("The backup"):
        assert [signal.getsignal(signum) for signum in SIGNALS] != before
    assert [signal.getsignal(signum) for signum in SIGNALS] == before


def test_a_signal_that_is_ignored_stays_ignored() -> None:
    """Under nohup, a closed terminal does not end a backup."""
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with deferred_signals("The backup") as cancellation:
            os.kill(os.getpid(), signal.SIGHUP)
            cancellation.check()
    finally:
        signal.signal(signal.SIGHUP, before)


def test_what_a_parent_ignores_or_blocks_is_put_right_and_put_back() -> None:
    """With SIGCHLD ignored, every program would seem to succeed.

    SIGTERM is ignored by mistake only.
    """
    ignored = (signal.SIGCHLD, signal.SIGTERM, signal.SIGQUIT, signal.SIGUSR1)
    before = {signum: signal.signal(signum, signal.SIG_IGN) for signum in ignored}
    blocked = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
    try:
        with deferred_signals("The backup") as cancellation:
            assert signal.getsignal(signal.SIGCHLD) == signal.SIG_DFL
            assert signal.pthread_sigmask(signal.SIG_BLOCK, []) == set()
            os.kill(os.getpid(), signal.SIGUSR1)
            cancellation.check()
            os.kill(os.getpid(), signal.SIGTERM)
            with pytest.raises(Interrupted):
                cancellation.check()
        assert signal.pthread_sigmask(signal.SIG_BLOCK, []) == {*blocked, signal.SIGTERM}
        assert {signal.getsignal(signum) for signum in ignored} == {signal.SIG_IGN}
    finally:
        for signum, handler in before.items():
            signal.signal(signum, handler)
        signal.pthread_sigmask(signal.SIG_SETMASK, blocked)


def test_what_is_started_ignores_and_blocks_nothing() -> None:
    """This includes SIGHUP under nohup: a utility is ended by us, or ends by itself."""
    ignored = (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGCHLD, signal.SIGTERM)
    before = {signum: signal.signal(signum, signal.SIG_IGN) for signum in ignored}
    blocked = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM, signal.SIGUSR1])
    try:
        with deferred_signals("The backup"):
            states = subprocess.run(
                ["grep", "Sig[BI]", "/proc/self/status"], capture_output=True, check=True
            )
    finally:
        for signum, handler in before.items():
            signal.signal(signum, handler)
        signal.pthread_sigmask(signal.SIG_SETMASK, blocked)
    assert masks(states.stdout) == [0, 0]


def test_a_handler_that_is_not_pythons_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    """It could not be restored."""
    monkeypatch.setattr(signal, "getsignal", lambda _: None)
    with deferred_signals("The backup"):
        pass


def test_outside_the_main_thread_the_block_just_runs() -> None:
    """Python allows handlers only in the main thread."""
    ran = []

    def body() -> None:
        with deferred_signals("The backup"):
            ran.append(True)

    thread = threading.Thread(target=body)
    thread.start()
    thread.join()
    assert ran == [True]


def test_nothing_long_begins_once_a_signal_has_come() -> None:
    """This holds for any number of calls, and after cleanup has begun."""
    cancellation = Cancellation("It")
    cancellation.check_start()
    cancellation.cancel(15)
    for _ in range(2):
        with pytest.raises(Interrupted):
            cancellation.check_start()
    cancellation.check()
