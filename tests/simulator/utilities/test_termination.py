"""Undo what was begun before a signal ends the process."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading

import pytest

from csf_simulator.utilities.termination import TERMINATING_SIGNALS, undo_on_signal

PROGRAM = """
import os, signal, sys, threading
from csf_simulator.utilities.termination import undo_on_signal
signal.signal(signal.SIGINT, signal.SIG_DFL)
for number in sys.argv[2:]:
    signal.signal(int(number), signal.SIG_IGN)
undo_on_signal(lambda: os.write(1, b"undone"))
held = threading.Lock()
held.acquire()
os.kill(os.getpid(), int(sys.argv[1]))
held.acquire(timeout=60 if len(sys.argv) == 2 else 0.01)
"""


def run(*arguments: int) -> subprocess.CompletedProcess[bytes]:
    """Run a program that sends itself a signal, and waits where no handler would run."""
    command = [sys.executable, "-c", PROGRAM, *(str(int(number)) for number in arguments)]
    return subprocess.run(command, capture_output=True, restore_signals=True)


@pytest.mark.parametrize("number", TERMINATING_SIGNALS)
def test_signal_undoes_and_ends(number: signal.Signals) -> None:
    """The parent process sees that the signal ended the process."""
    done = run(number)
    assert (done.returncode, done.stdout) == (-number, b"undone")


def test_ignored_signal_is_ignored() -> None:
    """Under nohup a process does not end with its terminal."""
    done = run(signal.SIGHUP, signal.SIGHUP)
    assert (done.returncode, done.stdout) == (0, b"")


def test_undoing_comes_before_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """The signal is let through once everything is undone."""
    events: list[object] = []
    ended = threading.Event()

    def sigwait(numbers: list[signal.Signals]) -> signal.Signals:
        events.append(numbers)
        return signal.SIGTERM

    def kill(process: int, number: int) -> None:
        events.append((process, number))
        ended.set()

    monkeypatch.setattr(signal, "getsignal", lambda _: signal.SIG_DFL)
    monkeypatch.setattr(signal, "pthread_sigmask", lambda how, which: events.append((how, which)))
    monkeypatch.setattr(signal, "sigwait", sigwait)
    monkeypatch.setattr(os, "kill", kill)
    undo_on_signal(lambda: events.append("undone"))
    assert ended.wait(timeout=60)
    assert events == [
        (signal.SIG_BLOCK, list(TERMINATING_SIGNALS)),
        list(TERMINATING_SIGNALS),
        "undone",
        (signal.SIG_UNBLOCK, [signal.SIGTERM]),
        (os.getpid(), signal.SIGTERM),
    ]
