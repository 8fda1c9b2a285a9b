"""The faults scripted for the utilities: which will strike, and which have struck.

Each fault is a file in `<home>/faults`, in the order of scripting; a second file beside it says
that it has struck. The first process to create that second file is struck by the fault, so a script
also holds when several utilities run at once.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Collection

from csf_simulator.faults.fault import Fault

_STRUCK = ".struck"


class Faults:
    """The faults of one simulator.

    Args:
        directory: where they are kept; it need not exist.
    """

    def __init__(self, directory: str) -> None:
        self._directory = directory

    def script(self, fault: Fault) -> None:
        """Script a fault for the next run of its tool that no earlier fault is for.

        Raises:
            ValueError: the tool has no such fault, or the value is not what the fault takes.
        """
        fault.effect()
        os.makedirs(self._directory, exist_ok=True)
        path = os.path.join(self._directory, f"{len(os.listdir(self._directory)):06}")
        with open(path, "x", encoding="utf-8") as file:
            file.write("\n".join([fault.tool, fault.kind, fault.value, "x" * fault.always]))

    def strike(self, tool: str, *, spared: Collection[str] = ()) -> Fault | None:
        """Return the fault that strikes a run of `tool` that begins now, if there is one.

        Args:
            tool: the utility.
            spared: kinds that would change nothing in this run; they wait for a later one.
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
        """Remove all faults."""
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
    """Create a file; return whether it was missing."""
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY))
    except FileExistsError:
        return False
    return True
