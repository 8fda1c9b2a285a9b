"""The outcome of a command, for the runner to report."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from csf_backup_plugin.errors import BackupError
from csf_backup_plugin.exit_codes import ExitCode

if TYPE_CHECKING:
    from collections.abc import Iterable


class Outcome(NamedTuple):
    """The outcome of a command that was not interrupted.

    Attributes:
        sentences: the lines for a person.
        facts: the facts for a program.
        problem: why the exit code is not 0; None if it is 0.
        output: what is printed on standard output without -json; bytes if it contains unchanged
            names.
        status: the exit code, for commands with codes of their own; None for the problem's code.
    """

    sentences: Iterable[str]
    facts: dict[str, Any]
    problem: BackupError | None = None
    output: str | bytes = ""
    status: int | None = None

    @property
    def code(self) -> int:
        """The exit code."""
        if self.status is not None:
            return self.status
        return int(self.problem.exit_code if self.problem else ExitCode.DONE)
