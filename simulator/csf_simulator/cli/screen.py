"""The screen of a story: what is said, typed and printed, on 80 columns."""

from __future__ import annotations

import textwrap

import click

_WIDTH = 80
_INDENT = " " * 4


def say(words: str) -> None:
    """Print what a newcomer should know."""
    click.echo("\n" + textwrap.fill(words, _WIDTH) + "\n")


def show_command(command: str) -> None:
    """Print the lines of a command as they are typed; one that begins with a space goes on."""
    for line in command.splitlines():
        prompt = "  " if line.startswith(" ") else "$ "
        click.secho(f"{_INDENT}{prompt}{line}", bold=True)


def show_output(output: str, exit_code: int) -> None:
    """Print what a command has printed, folded, and how it has ended, if that is no success."""
    for line in output.splitlines():
        click.secho(_folded(line), fg="cyan")
    if exit_code:
        click.echo(f"{_INDENT}(exit code {exit_code})")


def _folded(line: str) -> str:
    """Return a line, folded to what fits; a word that is longer stays whole."""
    return textwrap.fill(
        line,
        _WIDTH,
        initial_indent=_INDENT,
        subsequent_indent=_INDENT * 2,
        break_long_words=False,
        break_on_hyphens=False,
    )
