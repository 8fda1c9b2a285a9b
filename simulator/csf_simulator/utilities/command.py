"""What every utility does around its own work: its home, signals, words and exit status."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable

from csf_simulator.program.errors import UsageError, UtilityError, explain

HOME_VARIABLE = "CSF_SIM_HOME"
STDIN, STDOUT, STDERR = 0, 1, 2


def require_home() -> str:
    """Return the absolute path of the simulator's home directory; it need not exist.

    Raises:
        SystemExit: With a message and status 1: the variable is not set, so that a fake that came
            to a PATH by accident never passes for the real utility.
    """
    home = os.environ.get(HOME_VARIABLE, "")
    if not home:
        sys.exit(
            f"{HOME_VARIABLE} is not set: this is a simulated ObjectStore, which runs only inside "
            'a simulator\'s home.\nUse `csf-sim run -- COMMAND ...` or `eval "$(csf-sim env)"`.'
        )
    return os.path.abspath(home)


def restore_signals() -> None:
    """Let signals end the process as they end the real utility, which is written in C++.

    Python ignores SIGPIPE and SIGXFSZ, and turns SIGINT into an exception.
    """
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)


def occupy_standard_descriptors() -> None:
    """Open those of 0, 1 and 2 that are closed: an image that got one would be written into."""
    while (fd := os.open(os.devnull, os.O_RDWR)) <= STDERR:
        pass
    os.close(fd)


def say(text: str, to: int = STDOUT) -> None:
    """Write one line to a file descriptor at once; names keep the bytes they have on disk."""
    line = os.fsencode(text + "\n")
    while line:
        line = line[os.write(to, line) :]


def ask(question: str, to: int) -> str:
    """Print a question for the operator and wait for a line on standard input.

    Raises:
        UtilityError: Standard input ended instead.
    """
    say(question, to)
    answer = bytearray()
    while not answer.endswith(b"\n"):
        letter = os.read(STDIN, 1)
        if not letter:
            raise UtilityError("standard input ended where an operator was asked for a pathname")
        answer += letter
    return os.fsdecode(bytes(answer[:-1]))


def run_utility(work: Callable[[list[str]], None], usage: str, argv: list[str]) -> int:
    """Run a utility, with its failures told on stderr.

    Args:
        work: The utility; takes its arguments, without its name.
        usage: Printed after a complaint about the arguments.
        argv: The arguments.

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
