"""One run of a command: what every command needs before its work, around it and after it."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from typing import TYPE_CHECKING

from csf_backup_plugin import __version__
from csf_backup_plugin.cancellation import deferred_signals
from csf_backup_plugin.cli import surroundings
from csf_backup_plugin.cli.failure import Failure
from csf_backup_plugin.cli.logs import logged
from csf_backup_plugin.cli.outcome import print_error, show
from csf_backup_plugin.cli.progress import Progress
from csf_backup_plugin.cli.streams import give_up
from csf_backup_plugin.errors import (
    UNKNOWN_LEFT,
    BackupError,
    Interrupted,
    Unexpected,
    from_os_error,
)
from csf_backup_plugin.hosts import connect
from csf_backup_plugin.hosts.observed import observed
from csf_backup_plugin.log import failed, log, warned
from csf_backup_plugin.names import command

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from csf_backup_plugin.cancellation import Cancellation
    from csf_backup_plugin.cli.outcome import Outcome
    from csf_backup_plugin.hosts.protocol import Host


class Run:
    """One run of a command.

    Args:
        name: the command's.
        as_json: print one document, whatever the outcome.
        verbose: show what is logged.

    Attributes:
        cancellation: what asks the work to end, while it is done.
    """

    cancellation: Cancellation

    def __init__(self, name: str, *, as_json: bool, verbose: bool) -> None:
        self.as_json = as_json
        self.progress = Progress()
        self._name = name
        self._verbose = self.progress.show if verbose else None

    def carry_out(self, words: Sequence[str], work: Callable[[], Outcome]) -> int:
        """Do the work, and show how it has ended; return the exit code.

        Args:
            words: the command line behind the command's name.
            work: the work.

        Raises:
            Failure: it failed, in whatever way.
        """
        began, failure = time.monotonic(), None
        with surroundings.put_right(), logged(os.environ, self._warn, self._verbose):
            log.info("version %s begins: %s", __version__, command("csf", self._name, *words))
            try:
                code = self._done(work)
            except Failure as error:
                failure, code = error, error.exit_code
            give_up()
            log.info("ended with exit code %d after %.3f s", code, time.monotonic() - began)
        if failure:
            raise failure
        return code

    @contextlib.contextmanager
    def on(self, host: str, doing: str) -> Iterator[Host]:
        """Work with a host while the block runs.

        Args:
            host: as the user calls it.
            doing: what the block does, to be told if it is stopped.
        """
        self.cancellation.describe(doing)
        with self.progress, connect(host, self.cancellation) as at:
            yield observed(at)

    def _done(self, work: Callable[[], Outcome]) -> int:
        """Do the work; once it has ended, no signal changes how."""
        with deferred_signals(f"csf {self._name}") as self.cancellation:
            try:
                outcome = work()
                if problem := show(self._name, outcome, as_json=self.as_json):
                    warned(problem)
                return outcome.code
            except BackupError as error:
                raise self._failed(error) from None
            except KeyboardInterrupt:  # outside the main thread's care
                raise self._failed(Interrupted(signal.SIGINT, f"csf {self._name}")) from None
            except OSError as error:
                raise self._failed(_os_error(error)) from None
            except Exception as error:
                raise self._failed(Unexpected(error)) from error

    def _failed(self, error: BackupError) -> Failure:
        failed(error)
        if self.as_json and (problem := print_error(self._name, error)):
            warned(problem)
        return Failure(error)

    def _warn(self, text: str) -> None:
        self.progress.show(f"warning: {text}")


def _os_error(error: OSError) -> BackupError:
    """Return what this machine refused outside of all work on a host, as an error of ours."""
    found = from_os_error(error, "localhost")
    found.left = UNKNOWN_LEFT
    return found
