"""Faults that strike before the utility does its own work."""

from __future__ import annotations

from csf_simulator.faults.effect import Effect
from csf_simulator.program.numbers import size
from csf_simulator.program.streams import STDOUT, ask, say

_QUESTION = "Please enter the pathname of the next file to use."
_LINE = "x" * 99


class Record(Effect):
    """osbackup keeps a record that no option asks for."""

    kind, tools = "record", ("osbackup",)
    happens = "without -i, keeps a record file in its working directory"
    spared_by = "-i"
    keeps_record = True


class Prompt(Effect):
    """The utility asks the operator a question."""

    kind = "prompt"
    happens = "asks for an operator, whatever -a says, and waits"

    def begin(self) -> None:
        """Print a question, and wait for an answer."""
        ask(_QUESTION, STDOUT)


class Output(Effect):
    """The utility prints a lot."""

    kind, metavar = "output", "SIZE"
    happens = "prints SIZE of lines more than it should"
    takes = "a size, as in: output 1m"

    def __init__(self, value: str) -> None:
        self._size = size(value)

    def begin(self) -> None:
        """Print the lines."""
        for _ in range(0, self._size, len(_LINE) + 1):
            say(_LINE)


class Binary(Effect):
    """The utility prints bytes that are not text."""

    kind = "binary"
    happens = "prints a line that is not UTF-8"

    def begin(self) -> None:
        """Print the line."""
        say("\udcff\udcfe is not UTF-8")
