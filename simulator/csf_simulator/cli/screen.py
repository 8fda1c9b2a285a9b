"""Print a story on 80 columns: explanations, commands and their output."""

from __future__ import annotations

import textwrap

import click

_WIDTH = 80
_INDENT = " " * 4


def say(words: str) -> None:
    """Print an explanation for a newcomer."""
    click.echo("\n" + textwrap.fill(words, _WIDTH) + "\n")


def show_command(command: str) -> None:
    """Print the lines of a command as typed; one that begins with a space continues the last."""
    for line in command.splitlines():
        prompt = "  " if line.startswith(" ") else "$ "
        click.secho(f"{_INDENT}{prompt}{line}", bold=True)


def show_output(output: str, exit_code: int) -> None:
    """Print a command's output, folded, and its exit code if it failed."""
    for line in output.splitlines():
        click.secho(_folded(line), fg="cyan")
    if exit_code:
        click.echo(f"{_INDENT}(exit code {exit_code})")


def _folded(line: str) -> str:
    """Return a line, folded to the width; a word that is longer is not cut."""
    return textwrap.fill(
        line,
        _WIDTH,
        initial_indent=_INDENT,
        subsequent_indent=_INDENT * 2,
        break_long_words=False,
        break_on_hyphens=False,
    )
