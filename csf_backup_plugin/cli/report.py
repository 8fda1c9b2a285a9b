"""Report an outcome, as sentences on standard error or as one document on standard output."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from csf_backup_plugin.cli.document import encoded
from csf_backup_plugin.cli.printing import printed, said
from csf_backup_plugin.image.sealed_json import OUTCOME, schema
from csf_backup_plugin.log import noted, warned

if TYPE_CHECKING:
    from csf_backup_plugin.cli.outcome import Outcome
    from csf_backup_plugin.errors import BackupError


def report(command: str, outcome: Outcome, *, as_json: bool, is_quiet: bool = False) -> None:
    """Print and log an outcome; if the document cannot be printed, print the sentences.

    Args:
        command: the command's name.
        outcome: its outcome.
        as_json: print the document; on standard error, print only an error.
        is_quiet: without `as_json`, print nothing if there is no error and no warning.
    """
    sentences, has_warning = list(outcome.sentences), False
    for line in sentences:
        warning = line.removeprefix("warning: ")
        has_warning |= warning != line
        (noted if warning == line else warned)(warning)
    if not as_json:
        if is_quiet and not outcome.code and not has_warning:
            return
        if sentences:
            said("\n".join(sentences))
        if outcome.output and (reason := printed(outcome.output)):
            problem = f"the outcome, exit code {outcome.code}, could not be printed: {reason}"
            warned(problem)
            said(f"warning: {problem}")
        return
    if outcome.problem:
        said(f"Error: {outcome.problem}")
    if problem := _print(outcome.code, document(command, outcome)):
        said("\n".join([f"warning: {problem}. Its output would have been:", *sentences]))


def report_error(command: str, error: BackupError) -> None:
    """Print the document of an error."""
    code = int(error.exit_code)
    _print(code, _document(command, code, {**_error_facts(error), **error.facts}))


def document(command: str, outcome: Outcome) -> str:
    """Return the document of an outcome."""
    error = _error_facts(outcome.problem) if outcome.problem else {}
    return _document(command, outcome.code, {**error, **outcome.facts})


def _error_facts(error: BackupError) -> dict[str, Any]:
    return {"error": error.what, "left": error.left, "next_step": error.next_step}


def _document(command: str, code: int, facts: dict[str, Any]) -> str:
    head = {"schema": schema(OUTCOME), "command": command, "exit_code": code}
    return encoded({**head, **facts})


def _print(code: int, text: str) -> str:
    """Print a document; return and log why it failed, or return an empty string."""
    if reason := printed(text):
        problem = f"the outcome, exit code {code}, could not be printed as JSON: {reason}"
        warned(problem)
        return problem
    return ""
