"""Commands that run in turn, round by round, and their costs.

Every round runs each command once, so that a machine whose speed drifts slows all of them. The page
cache is flushed before each, so that none pays for another.
"""

from __future__ import annotations

import os
import resource
import subprocess
import tempfile
import time
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

ROUND = "{round}"

_KIB = 1024


class Case(NamedTuple):
    """A command that is measured.

    Attributes:
        name: what the table calls it.
        argv: the command; `ROUND` in a word becomes the number of the round.
        beside: the name of the command, of the same round, whose time its own is divided by.
        goal: what that ratio should not exceed.
        prepare: called before it, untimed.
        accepted: the exit statuses that are no failure.
    """

    name: str
    argv: Sequence[str]
    beside: str = ""
    goal: float | None = None
    prepare: Callable[[], object] = lambda: None
    accepted: Sequence[int] = (0,)


class Cost(NamedTuple):
    """What one run has cost.

    Attributes:
        seconds: from its start to its end.
        peak: the memory of the largest of its processes, in bytes; 0 if that is no larger than
            this one, which the kernel counts as what it has started.
    """

    seconds: float
    peak: int


def alternate(
    cases: Sequence[Case], rounds: int, environment: Mapping[str, str]
) -> dict[str, list[Cost]]:
    """Run commands in turn; return the costs of each, round by round, by its name."""
    costs: dict[str, list[Cost]] = {case.name: [] for case in cases}
    for number in range(rounds):
        for case in cases:
            case.prepare()
            argv = [word.replace(ROUND, str(number)) for word in case.argv]
            costs[case.name].append(_run(argv, environment, case.accepted))
    return costs


def _run(argv: Sequence[str], environment: Mapping[str, str], accepted: Sequence[int]) -> Cost:
    """Run a command.

    Raises:
        AssertionError: it has failed; what it said is told.
    """
    os.sync()
    with tempfile.TemporaryFile() as said:
        began = time.perf_counter()
        process = subprocess.Popen(
            argv, env=environment, stdin=subprocess.DEVNULL, stdout=said, stderr=said
        )
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        said.seek(0)
        assert process.returncode in accepted, (argv, process.returncode, said.read())
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return Cost(seconds, usage.ru_maxrss * _KIB if usage.ru_maxrss > own else 0)
