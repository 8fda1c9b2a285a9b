"""Lets a signal end the process only after what was begun is undone.

A handler that raises an exception is no way: Python runs handlers in the main thread alone, which
may be waiting for another thread that reads from a pipe.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Sequence

TERMINATING_SIGNALS = (signal.SIGHUP, signal.SIGINT, signal.SIGTERM)


def undo_on_signal(undo: Callable[[], None]) -> None:
    """From now on, call `undo` when a signal asks the process to end; then end by that signal.

    A signal that is ignored, as under nohup, stays so.

    Args:
        undo: Called in a thread of its own while all others go on, which it must hold up.
    """
    numbers = [
        number for number in TERMINATING_SIGNALS if signal.getsignal(number) == signal.SIG_DFL
    ]
    signal.pthread_sigmask(signal.SIG_BLOCK, numbers)
    threading.Thread(target=_wait, args=(numbers, undo), daemon=True).start()


def _wait(numbers: Sequence[signal.Signals], undo: Callable[[], None]) -> None:
    """Wait for the first of the signals, undo, and let it take effect."""
    number = signal.sigwait(numbers)
    undo()
    signal.pthread_sigmask(signal.SIG_UNBLOCK, [number])
    os.kill(os.getpid(), number)
