"""Errors that end a failed command; click prints their messages."""

from __future__ import annotations

import contextlib
import io
from typing import IO, TYPE_CHECKING, Any

import click

from csf_backup_plugin.cli.printing import give_up, said
from csf_backup_plugin.errors import BackupError
from csf_backup_plugin.log import failed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class Failure(click.ClickException):
    """An error with which click ends the process.

    Args:
        error: what went wrong.
    """

    def __init__(self, error: BackupError) -> None:
        super().__init__(str(error))
        self.error = error
        self.exit_code = int(error.exit_code)  # type: ignore[misc]  # click reads it here

    def show(self, file: IO[Any] | None = None) -> None:
        """Print the message, by default on standard error."""
        _show(f"Error: {self.message}", file)


class Misuse(click.UsageError):
    """A usage error that click has found.

    Args:
        error: click's error.
    """

    def __init__(self, error: click.UsageError) -> None:
        super().__init__(error.format_message(), error.ctx)

    def show(self, file: IO[Any] | None = None) -> None:
        """Print the message in the form of click."""
        text = io.StringIO()
        super().show(text)
        _show(text.getvalue().removesuffix("\n"), file)


def _show(text: str, file: IO[Any] | None) -> None:
    if file is not None:
        click.echo(text, file=file)
        return
    said(text)
    give_up()


@contextlib.contextmanager
def failures(tell: Callable[[BackupError], None] | None = None) -> Iterator[None]:
    """Turn a `BackupError` of the block into `Failure`, and log it.

    Args:
        tell: called with the error before `Failure` is raised.
    """
    try:
        yield
    except BackupError as error:
        failed(error)
        if tell:
            tell(error)
        raise Failure(error) from None
