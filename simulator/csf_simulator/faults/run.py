"""One run of a utility under the fault that strikes it, if one does."""

from __future__ import annotations

import threading
import time
from collections.abc import Collection, Sequence

from csf_simulator.faults.effect import NO_EFFECT, Effect, Progress
from csf_simulator.faults.kinds import spared_by
from csf_simulator.faults.script import Faults


class FaultyRun:
    """A run that reports to its effect what the utility does.

    Args:
        effect: the effect of the fault, or NO_EFFECT.
        databases: the databases of the run.

    Attributes:
        keeps_record: whether osbackup keeps a record although no option asks for one.
    """

    def __init__(self, effect: Effect, databases: Sequence[str] = ()) -> None:
        self.keeps_record = effect.keeps_record
        self.begin = effect.begin
        self.end = effect.end
        self._effect = effect
        self._databases = databases
        self._written = 0
        self._lock = threading.Lock()
        self._began = time.monotonic()

    def wrote(self, count: int) -> None:
        """Report `count` more bytes written to the effect; one thread at a time.

        Raises:
            UtilityError: the utility must end with a status.
            OSError: the utility must act as if the system had refused the write.
        """
        if self._effect is NO_EFFECT:
            return
        with self._lock:
            self._written += count
            seconds = time.monotonic() - self._began
            self._effect.wrote(Progress(self._written, seconds, self._databases))


def start_run(
    faults: Faults, tool: str, databases: Sequence[str] = (), *, options: Collection[str] = ()
) -> FaultyRun:
    """Start a run of a utility, under the fault that is scripted for it.

    Args:
        faults: the faults of the simulator.
        tool: the utility.
        databases: the databases of the run.
        options: the options that were given.
    """
    fault = faults.strike(tool, spared=spared_by(options))
    return FaultyRun(fault.effect() if fault else NO_EFFECT, databases)
