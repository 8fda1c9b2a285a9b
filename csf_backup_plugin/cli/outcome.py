"""How a command has ended, as sentences on standard error or as one JSON document on stdout."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any, NamedTuple

from csf_backup_plugin.cli.streams import give_up, printed, said
from csf_backup_plugin.errors import NOTHING_LEFT, BackupError, ExitCode
from csf_backup_plugin.image.sealed_json import OUTCOME, schema
from csf_backup_plugin.log import noted, warned
from csf_backup_plugin.texts import each, to_text

if TYPE_CHECKING:
    from collections.abc import Iterable

    import click


#: The keys of sentences, whose names are fit for a person; all else are names, or reads the same.
_SENTENCES = ("error", "left", "next_step", "findings", "warnings")


class Outcome(NamedTuple):
    """How a command that was not cut short has ended.

    Attributes:
        sentences: the lines for a person.
        facts: the facts for a program.
        problem: why its exit code is not 0; None if it is.
    """

    sentences: Iterable[str]
    facts: dict[str, Any]
    problem: BackupError | None = None

    @property
    def code(self) -> int:
        """The exit code."""
        return int(self.problem.exit_code if self.problem else ExitCode.DONE)


def show(command: str, outcome: Outcome, *, as_json: bool) -> str:
    """Print an outcome; return what a program could not be told, or an empty string."""
    sentences = list(outcome.sentences)
    for line in sentences:
        warning = line.removeprefix("warning: ")
        (noted if warning == line else warned)(warning)
    if not as_json:
        said("\n".join(sentences))
        return ""
    told = _told(outcome.problem) if outcome.problem else {}
    problem = _print(command, outcome.code, {**told, **outcome.facts})
    if problem:
        said("\n".join([f"warning: {problem}. What it would have said:", *sentences]))
    return problem


def print_error(command: str, error: BackupError) -> str:
    """Print the document of an error; return what could not be told, or an empty string."""
    return _print(command, int(error.exit_code), {**_told(error), **error.facts})


def print_misuse(command: str | None, error: click.UsageError) -> None:
    """Print the document of a command line that is wrong."""
    next_step = f"See csf {command} -help, and run the command again."
    told = {"error": error.format_message(), "left": NOTHING_LEFT, "next_step": next_step}
    _print(command, error.exit_code, told)
    give_up()


def _told(error: BackupError) -> dict[str, Any]:
    return {"error": error.what, "left": error.left, "next_step": error.next_step}


def _print(command: str | None, code: int, facts: dict[str, Any]) -> str:
    head = {"schema": schema(OUTCOME), "command": command, "exit_code": code}
    if reason := printed(encoded({**head, **facts})):
        return f"the outcome, exit code {code}, could not be printed as JSON: {reason}"
    return ""


def encoded(document: dict[str, Any]) -> str:
    """Return a document as JSON, in one line, whatever is in it."""
    return json.dumps(each(each(_plain(document), _text, _SENTENCES), _whole))


def _text(name: str) -> str:
    try:
        return to_text(name)
    except UnicodeEncodeError:  # no name
        return name


def _whole(text: str) -> str:
    """Return a text without half characters, which many programs cannot read."""
    return text.encode("utf-8", "backslashreplace").decode()


def _plain(value: Any) -> Any:
    """Return what JSON has in place of a value."""
    if isinstance(value, dict):
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_plain(one) for one in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value if isinstance(value, (str, int, float, type(None))) else str(value)
