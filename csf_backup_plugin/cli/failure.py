"""The one place where an error of ours becomes an exit code and a message."""

from __future__ import annotations

import contextlib
from typing import IO, TYPE_CHECKING, Any

import click

from csf_backup_plugin.errors import BackupError

if TYPE_CHECKING:
    from collections.abc import Iterator


class Failure(click.ClickException):
    """An error for click to end the process with.

    Args:
        error: what went wrong.
    """

    def __init__(self, error: BackupError) -> None:
        super().__init__(str(error))
        self.error = error
        self.exit_code = int(error.exit_code)  # type: ignore[misc]  # click reads it here

    def show(self, file: IO[Any] | None = None) -> None:
        """Print the message, to standard error as a rule."""
        with contextlib.suppress(OSError):  # the exit code says it too
            click.echo(f"Error: {self.message}", file=file, err=file is None)


@contextlib.contextmanager
def failures() -> Iterator[None]:
    """Turn a `BackupError` of the block into `Failure`."""
    try:
        yield
    except BackupError as error:
        raise Failure(error) from None
