"""Run a utility: its failures become lines on standard error and an exit status."""

from __future__ import annotations

from collections.abc import Callable

from csf_simulator.home import require_home
from csf_simulator.program.errors import UsageError, UtilityError, explain
from csf_simulator.program.streams import STDERR, say


def run_utility(work: Callable[[list[str]], None], usage: str, argv: list[str]) -> int:
    """Run a utility, and print its failures on standard error.

    Args:
        work: the utility; takes its arguments, without its name.
        usage: printed after a complaint about the arguments.
        argv: the arguments.

    Returns:
        Exit status: 0, or for a failure 1 (inferred: only 0 is known to mean success) or what a
        scripted fault says.
    """
    require_home()
    try:
        work(argv)
    except UsageError as error:
        say(f"{error}\n{usage}", STDERR)
        return 1
    except (UtilityError, OSError, ValueError) as error:
        failure = explain(error)
        say(failure.line(), STDERR)
        return failure.status
    return 0
