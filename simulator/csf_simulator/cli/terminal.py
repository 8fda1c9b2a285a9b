"""What the commands of csf-sim share: options, error messages and hints."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import click
from click.core import ParameterSource

from csf_simulator.program.errors import UsageError
from csf_simulator.program.numbers import size


def size_in_bytes(ctx: click.Context, param: click.Parameter, value: str | None) -> int:
    """Read a size as osbackup's option -s takes it; a click callback."""
    try:
        return size(value) if value else 0
    except UsageError as error:
        raise click.BadParameter(str(error), ctx, param) from error


@contextmanager
def reported_errors() -> Iterator[None]:
    """Turn errors of files and databases into a message and exit code 1."""
    try:
        yield
    except (OSError, ValueError) as error:
        raise click.ClickException(str(error)) from error


def command_line(ctx: click.Context, words: str) -> str:
    """Return a csf-sim command to type next, for the same home as the one that runs now."""
    root = ctx.find_root()
    given = root.get_parameter_source("home") is ParameterSource.COMMANDLINE
    home = ["--home", root.params["home"]] if given else []
    return shlex.join(["csf-sim", *home]) + f" {words}"


def hint(text: str) -> None:
    """Print advice for people on standard error, if that is a terminal."""
    if sys.stderr.isatty():
        click.echo(text, err=True)


def print_names(text: str) -> None:
    """Print a line; names keep the bytes that they have on disk."""
    click.echo(os.fsencode(text))
