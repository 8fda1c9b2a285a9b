"""The base of all fault effects: when an effect may act, and what help says about it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, NamedTuple


class Progress(NamedTuple):
    """How far a run of a utility has come.

    Attributes:
        written: Bytes written so far.
        seconds: Time since the run began.
        databases: The databases of the run.
    """

    written: int
    seconds: float
    databases: Sequence[str]


class Effect:
    """What a fault does to one run of a utility; this one does nothing.

    A subclass is one kind of fault. It overrides the moments at which it acts.

    Args:
        value: The value scripted for the fault.

    Attributes:
        kind: Name of the fault.
        metavar: What help calls its value; in brackets if the value may be left out.
        happens: What happens, for help.
        takes: What its value must be, for error messages.
        tools: The utilities that can have the fault.
        spared_by: An option with which the fault would change nothing; such runs are spared.
        keeps_record: Whether osbackup keeps a record although no option asks for one.

    Raises:
        ValueError: The value is not what the fault takes.
    """

    kind: ClassVar[str] = ""
    metavar: ClassVar[str] = ""
    happens: ClassVar[str] = ""
    takes: ClassVar[str] = "no value"
    tools: ClassVar[Sequence[str]] = ("osbackup", "osrestore")
    spared_by: ClassVar[str] = ""
    keeps_record: ClassVar[bool] = False

    def __init__(self, value: str = "") -> None:
        if value:
            raise ValueError("a value where none is taken")

    def begin(self) -> None:
        """Act before the utility does its own work."""

    def wrote(self, progress: Progress) -> None:
        """Act after something was written; one thread at a time.

        Raises:
            UtilityError: The utility must end with a status.
            OSError: The utility must act as if the system had refused the write.
        """

    def end(self, image: str) -> None:
        """Act on the finished image, before success is reported."""


NO_EFFECT = Effect()
