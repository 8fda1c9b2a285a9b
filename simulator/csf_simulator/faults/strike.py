"""Where a scripted fault reaches into a utility: the volumes it writes."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

from csf_simulator.faults.effects import Mischief
from csf_simulator.home import Home, require_home
from csf_simulator.image.sinks import Buffer, Sink


def mischief_for(
    tool: str, databases: Sequence[str] = (), *, spared: Collection[str] = ()
) -> Mischief:
    """Return what strikes this run of a utility, be it nothing.

    Args:
        tool: The utility.
        databases: Those of this run.
        spared: Kinds of faults that would change nothing in it.
    """
    return Mischief(Home(require_home()).faults.strike(tool, spared=spared), databases)


class FaultySink:
    """A volume whose every write tells the fault."""

    def __init__(self, sink: Sink, mischief: Mischief) -> None:
        self._sink = sink
        self._mischief = mischief
        self.close = sink.close

    def claim(self, parts: Sequence[Buffer]) -> int:
        """Reserve the place of a record."""
        return self._sink.claim(parts)

    def store(self, parts: Sequence[Buffer], offset: int) -> None:
        """Write the record, and tell of it."""
        self._sink.store(parts, offset)
        self._mischief.wrote(sum(map(len, parts)))


def sabotaged(open_volume: Callable[[int], Sink], mischief: Mischief) -> Callable[[int], Sink]:
    """Return a function that opens volumes as `open_volume` does, for the fault to strike."""
    return lambda number: FaultySink(open_volume(number), mischief)
