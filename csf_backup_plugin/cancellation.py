"""Signals ask a command to end; it ends at chosen points, so that no clean-up is cut short."""

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


class Cancellation:
    """Whether a command has been asked to end; a new one has not.

    Args:
        doing: what the command does, to be told if it is stopped.
        at_once: whether the command changes nothing, so that there is nothing to clean up.

    Attributes:
        at_once: as above.
    """

    def __init__(self, doing: str = "The command", *, at_once: bool = False) -> None:
        self.at_once = at_once
        self._doing = doing
        self._signum: int | None = None
        self._is_answered = False
        self._later: list[Cancellation] = []

    @property
    def received(self) -> bool:
        """Whether a signal has asked for the command's end, be it answered already or not."""
        return self._signum is not None

    def cancel(self, signum: int) -> None:
        """Ask the command to end; only the first signal counts."""
        if self._signum is None:
            self._signum = signum
        for later in self._later:
            later.cancel(signum)

    def later(self, *, at_once: bool = False) -> Cancellation:
        """Return one for the last steps: it counts the first signal that comes from here on.

        Args:
            at_once: as for a new one; of one that is so, it is that itself.
        """
        if self.at_once:
            return self
        self._later.append(Cancellation(self._doing, at_once=at_once))
        return self._later[-1]

    def describe(self, doing: str) -> None:
        """Say what is being done from here on, to be told if it is stopped."""
        self._doing = doing

    def check(self) -> None:
        """Let the command end here if a signal has asked for it.

        Only once, unless at once: what a host does to clean up is not cut short, by a second signal
        either.

        Raises:
            Interrupted: with the first signal that came.
        """
        if self.at_once or not self._is_answered:
            self.check_start()

    def check_start(self) -> None:
        """Let nothing that takes long begin, or go on, once a signal has asked for the end.

        Raises:
            Interrupted: with the first signal that came, each time.
        """
        if self._signum is not None:
            self._is_answered = True
            raise Interrupted(self._signum, self._doing)


@contextlib.contextmanager
def deferred_signals(doing: str) -> Iterator[Cancellation]:
    """Let SIGTERM, SIGINT and SIGHUP cancel what the block does, instead of ending it.

    Args:
        doing: what the block does, to be told if it is stopped.

    What the parent has left us is put right meanwhile, for what we start as well: no signal is
    blocked; SIGCHLD, without which nobody learns how a program ended, and SIGTERM are not ignored.
    Other signals that are ignored (nohup ignores SIGHUP) do nothing to us, and are not ignored by
    what we start.

    Outside the main thread, where Python does not let handlers be set, nothing is cancelled.
    """
    cancellation = Cancellation(doing)
    if threading.current_thread() is not threading.main_thread():
        yield cancellation
        return
    before = _handlers()
    for signum, handler in before.items():
        signal.signal(signum, _while_deferred(signum, handler, cancellation))
    blocked = signal.pthread_sigmask(signal.SIG_SETMASK, ())
    try:
        yield cancellation
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, blocked)
        for signum, handler in before.items():
            signal.signal(signum, handler)


def _handlers() -> dict[signal.Signals, _Handler]:
    """Return what is to be replaced; a handler that is not Python's could not be put back."""
    found = {signum: signal.getsignal(signum) for signum in signal.Signals if signum not in _LEFT}
    return {
        signum: handler
        for signum, handler in found.items()
        if handler is not None and (handler == signal.SIG_IGN or signum in SIGNALS)
    }


def _while_deferred(
    signum: signal.Signals, handler: _Handler, cancellation: Cancellation
) -> _Handler:
    if signum == signal.SIGCHLD:
        return signal.SIG_DFL
    if signum not in SIGNALS or (handler == signal.SIG_IGN and signum in _MAY_BE_IGNORED):
        return _disregard
    return lambda received, _frame: cancellation.cancel(received)


def _disregard(_signum: int, _frame: FrameType | None) -> None:
    """Ignore a signal, as `SIG_IGN` does, but in no program that we start."""
