"""The volumes an operator names: with -f, or when asked for the next one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from csf_simulator.program.errors import MISC, UtilityError, explain
from csf_simulator.program.streams import STDERR, STDOUT, ask, say

STANDARD = "-"  # names standard output or standard input
Opened = TypeVar("Opened")


class Media:
    """The files of an image, in order.

    Args:
        names: those named on the command line; STANDARD stands alone.
        question: what to ask the operator when they are used up or one cannot be opened.
        abort: fail instead of asking, as option -a demands.
        out: file descriptor to ask on.

    Attributes:
        name: the file that was opened last.
    """

    name = ""

    def __init__(
        self, names: Sequence[str], question: str, *, abort: bool, out: int = STDOUT
    ) -> None:
        self._left = list(names)
        self._question = question
        self._abort = abort or STANDARD in names
        self._out = out

    def named(self) -> str | None:
        """Return the next file that was named; None when the operator must be asked."""
        return self._left[0] if self._left else None

    def open_next(self, opener: Callable[[str], Opened]) -> Opened:
        """Open the next file, asking for others until one can be opened.

        Raises:
            UtilityError: it cannot be opened or none is named, and asking is not allowed or
                brought no answer.
        """
        self.name = self._left.pop(0) if self._left else self._ask()
        while True:
            try:
                return opener(self.name)
            except OSError as error:
                failure = explain(error, missing=MISC)
            if self._abort:
                raise failure
            say(failure.line(), STDERR)
            self.name = self._ask()

    def _ask(self) -> str:
        """Ask the operator for a file."""
        if self._abort:
            raise UtilityError("the image needs another volume, and none is named")
        return ask(self._question, self._out)
