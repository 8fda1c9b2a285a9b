"""Volumes of an image whose every write may meet a fault."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from csf_simulator.faults.run import FaultyRun
from csf_simulator.image.sinks import Buffer, Sink


class FaultySink:
    """A volume that reports every write to a run."""

    def __init__(self, sink: Sink, run: FaultyRun) -> None:
        self._sink = sink
        self._run = run
        self.close = sink.close

    def claim(self, parts: Sequence[Buffer]) -> int:
        """Reserve the place of a record."""
        return self._sink.claim(parts)

    def store(self, parts: Sequence[Buffer], offset: int) -> None:
        """Write the record, then report it to the run."""
        self._sink.store(parts, offset)
        self._run.wrote(sum(map(len, parts)))


def faulty(open_volume: Callable[[int], Sink], run: FaultyRun) -> Callable[[int], Sink]:
    """Return a function that opens volumes as `open_volume` does, but under the run's fault."""
    return lambda number: FaultySink(open_volume(number), run)
