"""A fault as it is scripted: which utility, what happens, and how often."""

from __future__ import annotations

from typing import NamedTuple

from csf_simulator.faults.effect import Effect
from csf_simulator.faults.kinds import TOOLS, kinds_of
from csf_simulator.program.errors import UsageError


class Fault(NamedTuple):
    """A fault.

    Attributes:
        tool: the utility it strikes.
        kind: what happens, one of `kinds.KINDS`.
        value: what the kind takes.
        always: whether it strikes every run from its turn on, and not only one.
    """

    tool: str
    kind: str
    value: str = ""
    always: bool = False

    def __str__(self) -> str:
        """Return it as it is scripted."""
        words = (self.tool, self.kind, self.value, "--always" if self.always else "")
        return " ".join(filter(None, words))

    def effect(self) -> Effect:
        """Return what it does to one run.

        Raises:
            ValueError: the tool has no such fault, or the value is not what the fault takes.
        """
        known = kinds_of(self.tool)
        if self.kind not in known:
            names = ", ".join(known or TOOLS)
            raise ValueError(f"{self.tool} has no fault {self.kind}; there are: {names}")
        try:
            return known[self.kind](self.value)
        except (UsageError, ValueError):
            raise ValueError(f"{self}: {self.kind} takes {known[self.kind].takes}") from None
