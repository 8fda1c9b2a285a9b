"""How a command has ended, for the runner to report."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from csf_backup_plugin.errors import BackupError
from csf_backup_plugin.exit_codes import ExitCode

if TYPE_CHECKING:
    from collections.abc import Iterable


class Outcome(NamedTuple):
    """How a command that was not cut short has ended.

    Attributes:
        sentences: the lines for a person.
        facts: the facts for a program.
        problem: why its exit code is not 0; None if it is.
        output: what is printed on standard output, where no document is; bytes if it has names as
            they are.
        status: the exit code of a command that has codes of its own; None for the problem's.
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
