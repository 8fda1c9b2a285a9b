"""Signals are noted when they come and answered at chosen points, so no clean-up is cut short."""

from __future__ import annotations

import contextlib
import signal
import threading
from typing import TYPE_CHECKING

from csf_backup_plugin.errors import Interrupted

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)

_received: list[int] = []
_answered: list[bool] = []
_doing: list[str] = []


def _note(signum: int, _frame: FrameType | None) -> None:
    _received.append(signum)


def _forget() -> None:
    _received.clear()
    _answered.clear()


@contextlib.contextmanager
def noted(doing: str) -> Iterator[None]:
    """Note SIGTERM, SIGINT and SIGHUP for `check` while the block runs.

    Args:
        doing: what the block does, to be told if it is stopped.

    A signal that is ignored (nohup ignores SIGHUP) stays ignored. Outside the main thread, where
    Python does not let handlers be set, the block runs as if it were not here.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    _forget()
    _doing[:] = [doing]
    before = {signum: signal.getsignal(signum) for signum in SIGNALS}
    for signum, handler in before.items():
        if handler != signal.SIG_IGN:
            signal.signal(signum, _note)
    try:
        yield
    finally:
        for signum, handler in before.items():
            signal.signal(signum, handler)
        _forget()


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
