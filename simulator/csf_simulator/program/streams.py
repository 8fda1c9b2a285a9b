"""Write lines to an operator, and read answers, on file descriptors without buffers."""

from __future__ import annotations

import os

from csf_simulator.program.errors import UtilityError

STDIN, STDOUT, STDERR = 0, 1, 2


def say(text: str, to: int = STDOUT) -> None:
    """Write one line to a file descriptor at once; names keep the bytes they have on disk."""
    line = os.fsencode(text + "\n")
    while line:
        line = line[os.write(to, line) :]


def ask(question: str, to: int) -> str:
    """Print a question for the operator and wait for a line on standard input.

    Raises:
        UtilityError: standard input ended instead.
    """
    say(question, to)
    answer = bytearray()
    while not answer.endswith(b"\n"):
        letter = os.read(STDIN, 1)
        if not letter:
            raise UtilityError("standard input ended where an operator was asked for a pathname")
        answer += letter
    return os.fsdecode(bytes(answer[:-1]))
