"""The shell sessions of documents: their commands run as printed, all in one shell."""

from __future__ import annotations

import re
import subprocess
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

_BLOCK = re.compile(r"^```console\n(.*?)^```", re.MULTILINE | re.DOTALL)
_PROMPT = "$ "
_HERE_DOCUMENT = "<<'END'"
_BETWEEN = "\036"  # no command prints this
# `$?` stays that of the command.
_END = "ended=$?; printf '\\036'; (exit $ended)\n"


class Shown(NamedTuple):
    """A command, and its output.

    Attributes:
        command: one line or several, as typed.
        output: what stands below it, of both streams.
    """

    command: str
    output: str


def sessions(document: str) -> list[Shown]:
    """Return the commands of all blocks marked ``console``, in order."""
    return [shown for block in _BLOCK.findall(document) for shown in _commands(block)]


def run(commands: Sequence[str], environment: Mapping[str, str], at: Path) -> list[str]:
    """Run commands in one shell; return the output of each.

    Args:
        commands: as typed.
        environment: all of it.
        at: the directory to begin in.
    """
    ended = subprocess.run(
        ["sh", "-c", "".join(f"{command}\n{_END}" for command in commands)],
        env=environment,
        cwd=at,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    *printed, _ = ended.stdout.split(_BETWEEN)
    return printed


def _commands(block: str) -> Iterator[Shown]:
    for typed in f"\n{block}".split(f"\n{_PROMPT}")[1:]:
        lines = typed.splitlines()
        count = _length(lines)
        yield Shown("\n".join(lines[:count]), "\n".join(lines[count:]))


def _length(lines: Sequence[str]) -> int:
    """Return how many of the lines belong to the command."""
    if _HERE_DOCUMENT in lines[0]:
        return lines.index("END") + 1
    return next(at for at, line in enumerate(lines, 1) if not line.endswith("\\"))
