"""How a command's outcome is shown: sentences on standard error, or one JSON document on stdout."""

from __future__ import annotations

import contextlib
import json
from typing import TYPE_CHECKING, Any

import click

from csf_backup_plugin import surroundings
from csf_backup_plugin.cli.failure import Failure
from csf_backup_plugin.errors import BackupError, ExitCode, reason
from csf_backup_plugin.receipt import OUTCOME, schema
from csf_backup_plugin.texts import each, to_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    Show = Callable[[Iterable[str], dict[str, Any], ExitCode], None]

#: The keys of sentences, whose names are fit for a person; all else are names, or reads the same.
_SENTENCES = ("error", "left", "next_step", "findings", "warnings")


@contextlib.contextmanager
def reported(ctx: click.Context, *, as_json: bool) -> Iterator[Show]:
    """Show how the block ends, and end the process with its exit code.

    Args:
        ctx: the command's context.
        as_json: print the one document, whatever the outcome.

    Yields:
        What to call, at the end, with the lines for a person, the facts for a program and the
        exit code.
    """

    def show(sentences: Iterable[str], facts: dict[str, Any], code: ExitCode) -> None:
        if as_json:
            _print_json(ctx, code, facts)
        else:
            with contextlib.suppress(OSError):  # the exit code says it too
                click.echo("\n".join(sentences), err=True)
        ctx.exit(code)

    try:
        with surroundings.put_right():
            yield show
    except BackupError as error:
        if as_json:
            said = {"error": error.what, "left": error.left, "next_step": error.next_step}
            with contextlib.suppress(click.ClickException):
                _print_json(ctx, error.exit_code, {**said, **error.facts})
        raise Failure(error) from None


def _print_json(ctx: click.Context, code: int, facts: dict[str, Any]) -> None:
    head = {"schema": schema(OUTCOME), "command": ctx.info_name, "exit_code": int(code)}
    try:
        click.echo(json.dumps({**head, **each(facts, to_text, _SENTENCES)}))
    except OSError as error:
        raise click.ClickException(
            f"The outcome, exit code {int(code)}, could not be printed: {reason(error)}."
        ) from None
