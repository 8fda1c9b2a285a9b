"""Calls of foreign code, after which the process state that csf needs is restored."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
import traceback
from typing import TYPE_CHECKING

from csf_backup_plugin.cancellation import SIGNALS
from csf_backup_plugin.names import shown

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

    from csf_backup_plugin.cancellation import Cancellation

_OUT, _ERR = 1, 2


@contextlib.contextmanager
def aside(cancellation: Cancellation) -> Iterator[None]:
    """Restore the working directory, the umask, signal handlers and standard output afterwards.

    What the block, or a program that it starts, prints on standard output goes to standard error,
    since standard output is only for the command's own document. A signal that asks the command to
    end ends the block, too.

    Args:
        cancellation: the command's.

    Raises:
        KeyboardInterrupt: a signal has ended the block.
    """
    with _directory(), _umask(), _handlers(), _output(), _stoppable(cancellation):
        yield


def in_words(error: BaseException) -> str:
    """Return an exception in one line, even if its text has many lines or fails."""
    lines = traceback.format_exception_only(type(error), error)
    what = next(line for line in lines if not line.startswith(" "))  # the place of a syntax error
    return shown(" ".join(what.split())).removesuffix(".")


def _is_main() -> bool:
    return threading.current_thread() is threading.main_thread()


@contextlib.contextmanager
def _directory() -> Iterator[None]:
    before = os.open(".", os.O_PATH)
    try:
        yield
    finally:
        os.fchdir(before)
        os.close(before)


@contextlib.contextmanager
def _umask() -> Iterator[None]:
    before = os.umask(0o077)
    os.umask(before)
    try:
        yield
    finally:
        os.umask(before)


@contextlib.contextmanager
def _handlers() -> Iterator[None]:
    """Put back signal handlers, which only the main thread can change."""
    signals = signal.valid_signals() if _is_main() else ()
    before = {signum: signal.getsignal(signum) for signum in signals}
    try:
        yield
    finally:
        for signum, handler in before.items():
            if handler is not None and signal.getsignal(signum) != handler:
                signal.signal(signum, handler)


@contextlib.contextmanager
def _output() -> Iterator[None]:
    """Redirect standard output to standard error, also for programs that are started."""
    _flush()
    before = os.dup(_OUT)
    try:
        os.dup2(_ERR, _OUT)
        with contextlib.redirect_stdout(sys.stderr):
            yield
    finally:
        _flush()
        os.dup2(before, _OUT)
        os.close(before)


def _flush() -> None:
    """Flush what is still to be printed; errors were reported when it was printed."""
    with contextlib.suppress(OSError, ValueError, AttributeError):
        sys.stdout.flush()


@contextlib.contextmanager
def _stoppable(cancellation: Cancellation) -> Iterator[None]:
    """Make a signal end the block, once; the caller restores the handlers."""
    if not _is_main():
        yield
        return
    later, is_armed = cancellation.later(at_once=True), True
    before = {signum: one for signum in SIGNALS if callable(one := signal.getsignal(signum))}

    def stop(signum: int, frame: FrameType | None) -> None:
        nonlocal is_armed
        before[signal.Signals(signum)](signum, frame)
        if is_armed and later.received:  # an ignored signal, as under nohup, does not count
            is_armed = False
            raise KeyboardInterrupt(f"stopped by {signal.Signals(signum).name}")

    for signum in before:
        signal.signal(signum, stop)
    try:
        yield
    finally:
        is_armed = False
