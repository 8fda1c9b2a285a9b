"""Faults scripted for the utilities: which are to strike, and which have struck.

Each fault is a file in `<home>/faults`, in the order of scripting; a second file beside it says
that it has struck. Whichever process claims a fault first is struck by it, so that scripts hold
when several utilities run at once.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Collection
from typing import NamedTuple

from csf_simulator.faults.effects import measure

_SPEAKING = ("prompt", "output", "binary")
_WRITING = ("exit", "signal", "hang", "slow", "enospc")
_LYING = ("truncate", "corrupt", "empty")

#: The faults each utility can have; `mischief` says what they do.
KINDS = {
    "osbackup": (*_WRITING, *_LYING, "record", "vanish", *_SPEAKING),
    "osrestore": (*_WRITING, *_SPEAKING),
}
_STRUCK = ".struck"


class Fault(NamedTuple):
    """A fault.

    Attributes:
        tool: The utility it strikes.
        kind: What happens to it, one of KINDS.
        value: What the kind needs; see `mischief`.
        always: Whether it strikes every run from its turn on, and not only one.
    """

    tool: str
    kind: str
    value: str = ""
    always: bool = False

    def __str__(self) -> str:
        """Return it as it is scripted."""
        words = (self.tool, self.kind, self.value, "--always" if self.always else "")
        return " ".join(filter(None, words))


class Faults:
    """The faults of one simulator.

    Args:
        directory: Where they are kept; it need not exist.
    """

    def __init__(self, directory: str) -> None:
        self._directory = directory

    def script(self, fault: Fault) -> None:
        """Let a fault strike the next run of its tool that no earlier one strikes.

        Raises:
            ValueError: The tool has no such fault, or its value is missing or makes no sense.
        """
        if fault.kind not in KINDS.get(fault.tool, ()):
            known = ", ".join(KINDS.get(fault.tool, KINDS))
            raise ValueError(f"{fault.tool} has no fault {fault.kind}; there are: {known}")
        measure(fault)
        os.makedirs(self._directory, exist_ok=True)
        path = os.path.join(self._directory, f"{len(os.listdir(self._directory)):06}")
        with open(path, "x", encoding="utf-8") as file:
            file.write("\n".join([fault.tool, fault.kind, fault.value, "x" * fault.always]))

    def strike(self, tool: str, *, spared: Collection[str] = ()) -> Fault | None:
        """Return the fault that strikes a run of `tool` that begins now, if there is one.

        Args:
            tool: The utility.
            spared: Kinds that would change nothing in this run; they wait for another one.
        """
        for path in self._paths():
            fault = _read(path)
            if (
                fault.tool == tool
                and fault.kind not in spared
                and (_claim(path + _STRUCK) or fault.always)
            ):
                return fault
        return None

    def unstruck(self) -> list[Fault]:
        """Return the faults that have not struck yet, in their order."""
        return [_read(path) for path in self._paths() if not os.path.exists(path + _STRUCK)]

    def clear(self) -> None:
        """Forget all faults."""
        for path in self._paths():
            for each in (path, path + _STRUCK):
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(each)

    def _paths(self) -> list[str]:
        try:
            names = sorted(os.listdir(self._directory))
        except FileNotFoundError:
            return []
        return [os.path.join(self._directory, name) for name in names if "." not in name]


def _read(path: str) -> Fault:
    with open(path, encoding="utf-8") as file:
        tool, kind, value, always = file.read().split("\n")
    return Fault(tool, kind, value, bool(always))


def _claim(path: str) -> bool:
    """Make a file; tell whether nobody had made it before."""
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY))
    except FileExistsError:
        return False
    return True
