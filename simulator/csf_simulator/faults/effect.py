"""The base of all fault effects: when an effect may act, and what help says about it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, NamedTuple


class Progress(NamedTuple):
    """How far a run of a utility has come.

    Attributes:
        written: bytes written so far.
        seconds: time since the run began.
        databases: the databases of the run.
    """

    written: int
    seconds: float
    databases: Sequence[str]


class Effect:
    """What a fault does to one run of a utility; this one does nothing.

    A subclass is one kind of fault. It overrides the moments at which it acts.

    Args:
        value: the value scripted for the fault.

    Attributes:
        kind: name of the fault.
        metavar: what help calls its value; in brackets if the value may be left out.
        happens: what happens, for help.
        takes: what its value must be, for error messages.
        tools: the utilities that can have the fault.
        spared_by: an option with which the fault would change nothing; such runs are spared.
        keeps_record: whether osbackup keeps a record although no option asks for one.

    Raises:
        ValueError: the value is not what the fault takes.
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
            UtilityError: the utility must end with a status.
            OSError: the utility must act as if the system had refused the write.
        """

    def end(self, image: str) -> None:
        """Act on the finished image, before success is reported."""


NO_EFFECT = Effect()
