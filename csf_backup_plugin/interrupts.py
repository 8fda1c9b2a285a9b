"""Signals are noted when they come and answered at chosen points, so no clean-up is cut short."""

from __future__ import annotations

import contextlib
import signal
import threading
from typing import TYPE_CHECKING

from csf_backup_plugin.errors import Interrupted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType

    _Handler = Callable[[int, FrameType | None], object] | int | signal.Handlers

SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)

# What may be ignored on purpose: by nohup, and by a shell that starts a program in the background.
_MAY_BE_IGNORED = (signal.SIGINT, signal.SIGHUP)
# Python ignores the first two itself, and restores them in what it starts. The others are about the
# terminal, which our programs do not have; to ignore one is not the same as a handler that does.
_LEFT = (signal.SIGPIPE, signal.SIGXFSZ, signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU)

_received: list[int] = []
_answered: list[bool] = []
_doing: list[str] = []


def _note(signum: int, _frame: FrameType | None) -> None:
    _received.append(signum)


def _disregard(_signum: int, _frame: FrameType | None) -> None:
    """Ignore a signal, as `SIG_IGN` does, but in no program that we start."""


def _forget() -> None:
    _received.clear()
    _answered.clear()


@contextlib.contextmanager
def noted(doing: str) -> Iterator[None]:
    """Note SIGTERM, SIGINT and SIGHUP for `check` while the block runs.

    Args:
        doing: what the block does, to be told if it is stopped.

    What the parent has left us is put right meanwhile, for what we start as well: no signal is
    blocked; SIGCHLD, without which nobody learns how a program ended, and SIGTERM are not ignored.
    Other signals that are ignored (nohup ignores SIGHUP) do nothing to us, and are not ignored by
    what we start.

    Outside the main thread, where Python does not let handlers be set, the block runs as if it were
    not here.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    _forget()
    describe(doing)
    before = _handlers()
    for signum, handler in before.items():
        signal.signal(signum, _while_noted(signum, handler))
    blocked = signal.pthread_sigmask(signal.SIG_SETMASK, ())
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, blocked)
        for signum, handler in before.items():
            signal.signal(signum, handler)
        _forget()


def _handlers() -> dict[signal.Signals, _Handler]:
    """Return what is to be replaced; a handler that is not Python's could not be put back."""
    found = {signum: signal.getsignal(signum) for signum in signal.Signals if signum not in _LEFT}
    return {
        signum: handler
        for signum, handler in found.items()
        if handler is not None and (handler == signal.SIG_IGN or signum in SIGNALS)
    }


def _while_noted(signum: signal.Signals, handler: _Handler) -> _Handler:
    if signum == signal.SIGCHLD:
        return signal.SIG_DFL
    if signum not in SIGNALS or (handler == signal.SIG_IGN and signum in _MAY_BE_IGNORED):
        return _disregard
    return _note


def describe(doing: str) -> None:
    """Say what is being done from here on, to be told if it is stopped."""
    _doing[:] = [doing]


def received() -> bool:
    """Tell whether a signal has asked for the command's end, be it answered already or not."""
    return bool(_received)


def check() -> None:
    """Let the command end here if a signal has asked for it.

    Only once: what a host does to clean up is not cut short, by a second signal either.

    Raises:
        Interrupted: with the first signal that came.
    """
    if _received and not _answered:
        _answered.append(True)
        raise Interrupted(_received[0], _doing[0])
