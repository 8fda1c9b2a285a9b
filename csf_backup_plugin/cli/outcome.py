"""The outcome of a command, for the runner to report."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from csf_backup_plugin.errors import BackupError
from csf_backup_plugin.exit_codes import ExitCode

if TYPE_CHECKING:
    from collections.abc import Iterable


class Outcome(NamedTuple):
    """The outcome of a command that ended without an exception.

    Attributes:
        sentences: the lines for people, on standard error.
        facts: the facts for the JSON document.
        problem: why the exit code is not 0; None if it is 0.
        output: the text for standard output without -json; bytes if it has names that must not be
            changed.
        status: the exit code, if it is not that of the problem; None if it is.
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
