"""Signals ask a command to end; it ends at chosen points, so that no cleanup is interrupted."""

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

# Signals that may be ignored on purpose: by nohup, or by a shell that starts a background program.
_MAY_BE_IGNORED = (signal.SIGINT, signal.SIGHUP)
# Python ignores the first two itself, and restores them in programs that it starts. The others are
# about the terminal, which our programs do not have; ignoring one of these differs from a handler
# that does nothing.
_LEFT = (signal.SIGPIPE, signal.SIGXFSZ, signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU)


class Cancellation:
    """Whether a command has been asked to end; initially it has not.

    Args:
        doing: what the command does, for the message if it is stopped.
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
        """Whether a signal has asked the command to end, also if `check` has raised it already."""
        return self._signum is not None

    def cancel(self, signum: int) -> None:
        """Ask the command to end; only the first signal counts."""
        if self._signum is None:
            self._signum = signum
        for later in self._later:
            later.cancel(signum)

    def later(self, *, at_once: bool = False) -> Cancellation:
        """Return a new cancellation for the last steps, which counts only signals from now on.

        Args:
            at_once: as for a new one. If this one has `at_once`, it is returned itself.
        """
        if self.at_once:
            return self
        self._later.append(Cancellation(self._doing, at_once=at_once))
        return self._later[-1]

    def describe(self, doing: str) -> None:
        """Set what is being done from now on, for the message if it is stopped."""
        self._doing = doing

    def check(self) -> None:
        """End the command here if a signal has asked for it.

        It raises only once, unless `at_once` is set: cleanup is not interrupted, also not by a
        second signal.

        Raises:
            Interrupted: with the first signal that came.
        """
        if self.at_once or not self._is_answered:
            self.check_start()

    def check_start(self) -> None:
        """Refuse to begin or continue a long step once a signal has asked the command to end.

        Raises:
            Interrupted: with the first signal that came, each time.
        """
        if self._signum is not None:
            self._is_answered = True
            raise Interrupted(self._signum, self._doing)


@contextlib.contextmanager
def deferred_signals(doing: str) -> Iterator[Cancellation]:
    """Make SIGTERM, SIGINT and SIGHUP cancel the block, instead of ending the process.

    Args:
        doing: what the block does, for the message if it is stopped.

    Signal settings inherited from the parent are corrected meanwhile, also for programs that we
    start: no signal is blocked, and SIGTERM and SIGCHLD are not ignored. (If SIGCHLD is ignored,
    the exit status of a program is lost.) Other ignored signals (nohup ignores SIGHUP) do nothing
    to us, and are not ignored in programs that we start. Outside the main thread, Python does not
    allow handlers to be set, so nothing is cancelled.
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
    """Return the handlers to replace; one that was not set by Python could not be restored."""
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
    """Ignore a signal, as `SIG_IGN` does, but not in programs that we start."""
