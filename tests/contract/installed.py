"""Run the utilities of an installation, as programs only."""

from __future__ import annotations

import os
import re
import signal
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import NamedTuple

PATIENCE = 60  # seconds after which a utility is taken to wait for an operator
LARGE = 160 * 1024  # bytes; a larger database fills two volumes of 80k and more

_ARCHIVING = re.compile(r"Archiving (\d+) sectors in database (?:[^/:]+::?)?(/.*)\.")


class Outcome(NamedTuple):
    """How a utility ended: exit status (None: it had to be killed), and all it wrote."""

    status: int | None
    stdout: bytes
    stderr: bytes

    @property
    def ending(self) -> str:
        """Describe the end in the terms in which exit statuses are documented."""
        if self.status is None:
            return "waits"
        return "success" if self.status == 0 else "failure"

    @property
    def words(self) -> list[str]:
        """All lines it wrote, those on stdout first."""
        return lines(self.stdout) + lines(self.stderr)

    @property
    def asks(self) -> bool:
        """Tell whether the utility asked the operator a question."""
        return any(line.startswith("Please enter") for line in self.words)

    @property
    def archived(self) -> dict[str, int]:
        """The number of sectors reported for each database, without the host before its path."""
        found = filter(None, map(_ARCHIVING.fullmatch, self.words))
        return {match[2]: int(match[1]) for match in found}


class Utilities:
    """An osbackup and an osrestore, and databases to try them on.

    Args:
        programs: Directory they are in.
        databases: Directory with at least two databases that nobody uses. They are only copied:
            each scenario works on copies, in a directory of its own beside them.
        environment: What the programs run in.

    Raises:
        ValueError: The databases are too few or too small, or a utility is missing.
    """

    def __init__(self, programs: str, databases: str, environment: Mapping[str, str]) -> None:
        self._programs = os.path.abspath(programs)
        self._environment = environment
        self.databases = os.path.abspath(databases)
        for name in ("osbackup", "osrestore"):
            if not os.access(os.path.join(programs, name), os.X_OK):
                raise ValueError(f"{programs}: no {name} that can be run")
        files = [entry for entry in os.scandir(self.databases) if entry.is_file()]
        files.sort(key=lambda entry: (entry.stat().st_size, entry.name))
        if len(files) < 2 or files[-1].stat().st_size <= LARGE:
            raise ValueError(f"{databases}: needs two databases, one of more than {LARGE} bytes")
        self.large, self.small = files[-1].path, files[0].path

    def run(self, argv: list[str], directory: str, stdin: bytes | None) -> Outcome:
        """Run a utility in a directory.

        Args:
            argv: Its name and arguments.
            directory: Where it runs.
            stdin: What it may read; None: an operator who never answers.
        """
        with _standard_input(stdin) as source:
            process = subprocess.Popen(
                [os.path.join(self._programs, argv[0]), *argv[1:]],
                cwd=directory,
                env=self._environment,
                stdin=source,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=True,
            )
            with process:
                return _finish(process, stdin)


def _finish(process: subprocess.Popen[bytes], stdin: bytes | None) -> Outcome:
    """Wait for a utility, with a limit."""
    try:
        output = process.communicate(stdin, timeout=PATIENCE)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        return Outcome(None, *process.communicate())
    return Outcome(process.returncode, *output)


def lines(output: bytes) -> list[str]:
    """Return the lines of an output, names in them as the operating system has them."""
    return os.fsdecode(output).splitlines()


@contextmanager
def _standard_input(stdin: bytes | None) -> Iterator[int]:
    """Open what Popen takes as standard input; see `Utilities.run`."""
    if stdin is not None:
        yield subprocess.PIPE
        return
    source, operator = os.pipe()
    try:
        yield source
    finally:
        os.close(source)
        os.close(operator)  # not earlier, which would end the utility's input
