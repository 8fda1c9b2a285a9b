"""Record each attempt of a command in the ledger, and notify plugins and a program.

An error here never makes a command fail. Dry runs, and commands that only show something, are not
recorded.
"""

from __future__ import annotations

import contextlib
import os
import time
from typing import TYPE_CHECKING, Any

from csf_backup_plugin import command_names
from csf_backup_plugin.attempts.directory import state_directory
from csf_backup_plugin.attempts.outcomes import outcome_of
from csf_backup_plugin.attempts.recording import Recording
from csf_backup_plugin.cancellation import deferred_signals
from csf_backup_plugin.cli import attempt_metrics, inherited
from csf_backup_plugin.cli.attempt_facts import at_begin, at_end, is_dry_run
from csf_backup_plugin.cli.failure import Failure
from csf_backup_plugin.cli.printing import said
from csf_backup_plugin.log import warned
from csf_backup_plugin.notices import Notices
from csf_backup_plugin.system_errors import why

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from csf_backup_plugin.cancellation import Cancellation
    from csf_backup_plugin.cli.outcome import Outcome
    from csf_backup_plugin.errors import BackupError

RECORDED = {
    command_names.BACKUP,
    command_names.ROTATE,
    command_names.COPY,
    command_names.VERIFY,
    command_names.PROVE,
    command_names.DRILL,
    command_names.RESTORE,
}
_LEDGER, _METRICS = "the ledger of attempts", "the metrics of this attempt"


class Result:
    """The result of a command; it is set while the command runs.

    Args:
        start: called before the work; it may refuse the work.

    Attributes:
        start: the argument of that name.
        outcome: the outcome, set by the runner; not set if the command fails.
    """

    outcome: Outcome

    def __init__(self, start: Callable[[], None] = lambda: None) -> None:
        self.start = start


@contextlib.contextmanager
def recorded(
    name: str, words: Sequence[str], warn: Callable[[str], None], cancellation: Cancellation
) -> Iterator[Result]:
    """Record a command's beginning before the block and its end after it; send the notices.

    Args:
        name: the command's name.
        words: the command line after the name.
        warn: called with a sentence for each part that failed.
        cancellation: the cancellation of the command.
    """
    if name not in RECORDED or is_dry_run(words):
        yield Result()
        return
    with contextlib.ExitStack() as stack:
        entry = _Entry(name, words, warn, cancellation)
        stack.callback(entry.close)
        began, result = time.monotonic(), Result(entry.notices.starting)
        try:
            yield result
        except Failure as failure:
            entry.end(failure.error.exit_code, failure.error.facts, failure.error, began)
            raise
        outcome = result.outcome
        entry.end(outcome.code, outcome.facts, outcome.problem, began)


def record_misuse(name: str, words: Sequence[str], error: BackupError) -> None:
    """Record an attempt with a wrong command line; see `recorded`."""
    with (
        contextlib.suppress(Failure),
        inherited.put_right(),
        deferred_signals(f"csf {name}") as cancellation,
        recorded(name, words, _say, cancellation),
    ):
        raise Failure(error)


def _say(text: str) -> None:
    said(f"warning: {text}")


class _Entry:
    """An attempt, with its entry in the ledger, if that can be written, and its notices."""

    def __init__(
        self,
        name: str,
        words: Sequence[str],
        warn: Callable[[str], None],
        cancellation: Cancellation,
    ) -> None:
        self._warn, self._reported = warn, set[str]()
        self._recording: Recording | None = None
        facts = {"command": name, **at_begin(words)}
        with self._warned(_LEDGER):
            self._recording = Recording(state_directory(os.environ), facts)
            self._recording.begin()
        attempt = self._recording.id if self._recording else None
        self.notices = Notices(attempt, facts, os.environ, cancellation, warn)
        with self._warned(_LEDGER):
            self.notices.killed(self._recording.unreported() if self._recording else ())

    def end(
        self, code: int, facts: dict[str, Any], problem: BackupError | None, began: float
    ) -> None:
        """Record how the attempt ended, and send the notices."""
        seconds = round(time.monotonic() - began, 3)
        how = {"exit_code": int(code), "outcome": outcome_of(code), "seconds": seconds}
        ended = {**how, **at_end(facts, problem)}
        if self._recording:
            self._enter(ended, self._recording)
        self.notices.finished(ended)

    def _enter(self, ended: dict[str, Any], recording: Recording) -> None:
        with self._warned(_LEDGER):
            recording.end(ended)
        if directory := os.environ.get(attempt_metrics.VARIABLE):
            with self._warned(_METRICS):
                attempt_metrics.write_pages(directory, recording)

    def close(self) -> None:
        """Release the attempt's lock, which is held while the command runs."""
        if self._recording:
            self._recording.close()

    @contextlib.contextmanager
    def _warned(self, what: str) -> Iterator[None]:
        """Turn any failure of the block into one warning."""
        try:
            yield
        except Exception as error:
            if what not in self._reported:
                self._reported.add(what)
                text = f"{what} cannot be written: {why(error)}"
                warned(text)
                self._warn(text)
