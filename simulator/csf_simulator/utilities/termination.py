"""On a signal, undo what was begun, and only then end the process.

A handler that raises an exception would not do: Python runs handlers in the main thread only, which
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
        undo: called in a thread of its own while the others go on; it must block those that could
            do again what it undoes.
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
