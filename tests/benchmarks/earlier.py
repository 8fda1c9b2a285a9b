"""The same commands of an earlier version, in the same rounds."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from benchmarks.timing import Case

_MODULES = {
    "csf": "csf_simulator.csf.main",
    "osbackup": "csf_simulator.utilities.osbackup",
    "osrestore": "csf_simulator.utilities.osrestore",
}


def with_earlier(cases: Iterable[Case], python: str) -> Iterator[Case]:
    """Yield each command that both versions have twice: first that of the earlier version.

    The earlier csf calls this version's osbackup and osrestore.

    Args:
        cases: the commands.
        python: the interpreter that has the earlier version; none if it is empty.
    """
    for case in cases:
        program, *words = case.argv
        if python and program in _MODULES:
            code = f"from {_MODULES[program]} import main; main()"
            argv = [python, "-I", "-c", code, *words]
            yield case._replace(name=f"{case.name}, before", argv=argv)
        yield case
