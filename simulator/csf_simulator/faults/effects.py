"""What a fault does to the utility it strikes.

====================  ================================================================
``exit N``            exits with status N once some sectors are written
``signal NAME``       dies by a signal, such as KILL, likewise
``hang``              stops for good, likewise
``record``            without -i, writes a default record file into its working directory
``vanish``            the last of its databases vanishes, likewise
``slow RATE``         writes at a rate, such as 4g/h or 10m/s
``enospc SIZE``       meets a full disk once SIZE is written
``truncate [SIZE]``   cuts its image to SIZE, or to half, and reports success
``corrupt``           flips a bit in the middle of its image, and reports success
``empty``             empties its image, and reports success
``prompt``            asks for an operator, whatever -a says, and waits
``output SIZE``       prints SIZE of lines more than it should
``binary``            prints a line that is not UTF-8
====================  ================================================================
"""

from __future__ import annotations

import errno
import os
import signal
import threading
import time
from typing import TYPE_CHECKING

from csf_simulator.program.errors import UsageError, UtilityError
from csf_simulator.program.numbers import size, whole_number
from csf_simulator.program.streams import STDOUT, ask, say

if TYPE_CHECKING:
    from collections.abc import Sequence

    from csf_simulator.faults.script import Fault

QUESTION = "Please enter the pathname of the next file to use."
LINE = "x" * 99
_SECONDS = {"s": 1, "m": 60, "h": 3600}


class Mischief:
    """A fault at work in one run of a utility.

    Args:
        fault: What is to happen; None: nothing.
        databases: The run's databases.

    Attributes:
        keeps_record: Whether the run keeps a record of the backup that nobody asked for.
    """

    def __init__(self, fault: Fault | None, databases: Sequence[str] = ()) -> None:
        self.keeps_record = fault is not None and fault.kind == "record"
        self._kind = fault.kind if fault else ""
        self._number = measure(fault) if fault else 0
        self._databases = databases
        self._written = 0
        self._lock = threading.Lock()
        self._began = time.monotonic()

    def begin(self) -> None:
        """Do what is done before the utility's own work."""
        if self._kind == "prompt":
            ask(QUESTION, STDOUT)
        elif self._kind == "output":
            for _ in range(0, int(self._number), len(LINE) + 1):
                say(LINE)
        elif self._kind == "binary":
            say("\udcff\udcfe is not UTF-8")

    def wrote(self, count: int) -> None:
        """Do what is done after `count` bytes were written; threads wait for each other.

        Raises:
            UtilityError: The utility is to exit with a status.
            OSError: The disk is said to be full.
        """
        if not self._kind:
            return
        with self._lock:
            self._written += count
            if self._kind in ("exit", "signal", "hang"):
                self._end_here()
            elif self._kind == "slow":
                late = self._began + self._written / self._number - time.monotonic()
                time.sleep(max(0.0, late))
            elif self._kind == "enospc" and self._written > self._number:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            elif self._kind == "vanish" and os.path.exists(self._databases[-1]):
                os.unlink(self._databases[-1])

    def end(self, image: str) -> None:
        """Do to a finished image what is done before success is reported."""
        if self._kind == "empty":
            os.truncate(image, 0)
        elif self._kind == "truncate":
            whole = os.path.getsize(image)
            os.truncate(image, min(int(self._number) or whole // 2, whole - 1))
        elif self._kind == "corrupt":
            _flip_a_bit(image)

    def _end_here(self) -> None:
        if self._kind == "exit":
            raise UtilityError("a scripted failure", status=int(self._number))
        # What measures coverage is killed with the process.
        if self._kind == "signal":  # pragma: no cover
            os.kill(os.getpid(), int(self._number))
        while True:  # pragma: no cover
            signal.pause()


def measure(fault: Fault) -> float:
    """Return what a fault's value stands for: a status, a signal, bytes, or bytes a second.

    Raises:
        ValueError: The value is missing, makes no sense, or there should be none.
    """
    try:
        if fault.kind == "exit":
            return whole_number(fault.value, 1, 255)
        if fault.kind == "signal":
            return signal.Signals["SIG" + fault.value.upper()]
        if fault.kind == "slow":
            amount, _, unit = fault.value.partition("/")
            return size(amount) / _SECONDS[unit]
        if fault.kind in ("enospc", "output") or (fault.kind == "truncate" and fault.value):
            return size(fault.value)
    except (KeyError, UsageError):
        raise ValueError(f"{fault}: the value makes no sense") from None
    if fault.value:
        raise ValueError(f"{fault}: it takes no value")
    return 0


def _flip_a_bit(path: str) -> None:
    with open(path, "r+b") as file:
        middle = os.path.getsize(path) // 2
        file.seek(middle)
        (byte,) = file.read(1)
        file.seek(middle)
        file.write(bytes([byte ^ 1]))
