"""Faults that strike once some sectors are written."""

from __future__ import annotations

import errno
import os
import signal
import time

from csf_simulator.faults.effect import Effect, Progress
from csf_simulator.program.errors import UtilityError
from csf_simulator.program.numbers import size, whole_number

_SECONDS = {"s": 1, "m": 60, "h": 3600}


class Exit(Effect):
    """The utility fails."""

    kind, metavar = "exit", "N"
    happens = "exits with status N once some sectors are written"
    takes = "a status from 1 to 255, as in: exit 3"

    def __init__(self, value: str) -> None:
        self._status = whole_number(value, 1, 255)

    def wrote(self, progress: Progress) -> None:
        """End the run with the status."""
        raise UtilityError("a scripted failure", status=self._status)


class Signal(Effect):
    """The utility is killed."""

    kind, metavar = "signal", "NAME"
    happens = "dies by a signal, such as KILL, once some sectors are written"
    takes = "the name of a signal, as in: signal KILL"

    def __init__(self, value: str) -> None:
        name = "SIG" + value.upper()
        if name not in signal.Signals.__members__:
            raise ValueError("no signal")
        self._signal = signal.Signals[name]

    def wrote(self, progress: Progress) -> None:  # pragma: no cover  # coverage dies too
        """Kill this process."""
        os.kill(os.getpid(), self._signal)
        while True:  # the signal may take a moment
            signal.pause()


class Hang(Effect):
    """The utility never ends."""

    kind = "hang"
    happens = "stops for good once some sectors are written"

    def wrote(self, progress: Progress) -> None:  # pragma: no cover  # ends by being killed
        """Wait forever."""
        while True:
            signal.pause()


class Vanish(Effect):
    """A database is removed during the backup."""

    kind, tools = "vanish", ("osbackup",)
    happens = "loses the last of its databases once some sectors are written"

    def wrote(self, progress: Progress) -> None:
        """Remove the last database."""
        if os.path.exists(progress.databases[-1]):
            os.unlink(progress.databases[-1])


class Slow(Effect):
    """The utility is slow."""

    kind, metavar = "slow", "RATE"
    happens = "writes at a rate, such as 4g/h or 10m/s"
    takes = "a size per s, m or h, as in: slow 4g/h"

    def __init__(self, value: str) -> None:
        amount, _, unit = value.partition("/")
        if unit not in _SECONDS:
            raise ValueError("no unit of time")
        self._rate = size(amount) / _SECONDS[unit]

    def wrote(self, progress: Progress) -> None:
        """Wait until the rate allows as many bytes as were written."""
        time.sleep(max(0.0, progress.written / self._rate - progress.seconds))


class DiskFull(Effect):
    """The disk is full."""

    kind, metavar = "enospc", "SIZE"
    happens = "meets a full disk once SIZE is written"
    takes = "a size, as in: enospc 500k"

    def __init__(self, value: str) -> None:
        self._size = size(value)

    def wrote(self, progress: Progress) -> None:
        """Fail like a write to a full disk."""
        if progress.written > self._size:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
