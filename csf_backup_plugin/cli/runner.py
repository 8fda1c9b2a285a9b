"""Run a command: what every command needs before, during and after its work."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import time
from typing import TYPE_CHECKING

from csf_backup_plugin import __version__
from csf_backup_plugin.cli import human_sizes, image_facts, restore_plan
from csf_backup_plugin.cli.attempt import recorded
from csf_backup_plugin.cli.failure import Failure, failures
from csf_backup_plugin.cli.log_targets import logged
from csf_backup_plugin.cli.printing import give_up
from csf_backup_plugin.cli.progress import Progress
from csf_backup_plugin.cli.report import report, report_error
from csf_backup_plugin.errors import UNKNOWN_LEFT, HostUnreachable, Interrupted
from csf_backup_plugin.hosts.connect import connect
from csf_backup_plugin.hosts.logged_host import observed
from csf_backup_plugin.log import log
from csf_backup_plugin.names import command
from csf_backup_plugin.system_errors import translated

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from csf_backup_plugin.cancellation import Cancellation
    from csf_backup_plugin.cli.outcome import Outcome
    from csf_backup_plugin.errors import BackupError
    from csf_backup_plugin.hosts.protocol.host import Host
    from csf_backup_plugin.hosts.ssh.login import Login


#: Modules that report an outcome are loaded before the work. The work may take hours, and another
#: version may be installed meanwhile.
LOADED = (human_sizes, image_facts, restore_plan)


@contextlib.contextmanager
def limited(cancellation: Cancellation, host: str, limit: float | None) -> Iterator[Cancellation]:
    """Limit the time of a block that changes nothing; at the limit, end it like a signal.

    Args:
        cancellation: the cancellation of the command, which also ends the block.
        host: the host that the block waits for.
        limit: the limit in seconds; None for no limit.
    """
    if limit is None:
        yield cancellation
        return
    within = cancellation.later(at_once=True)
    cancellation.check_start()  # the new cancellation takes only later signals
    timer = threading.Timer(min(limit, threading.TIMEOUT_MAX), within.cancel, [signal.SIGALRM])
    timer.daemon = True
    timer.start()
    try:
        yield within
    except Interrupted as error:
        if error.exit_code != 128 + signal.SIGALRM:
            raise
        raise HostUnreachable(
            f"{host} has not answered within {limit:g} s.",
            "Look at the host and its disks; give it longer with -timeout SECONDS.",
        ) from None
    finally:
        timer.cancel()


class Run:
    """One run of a command.

    Args:
        name: the command's name.
        cancellation: what a signal cancels.
        early: what `hosts.connect.log_in_early` has returned, by host; each is used once.
        as_json: print one document, whatever the outcome.
        verbose: show the log.

    Attributes:
        cancellation: as above.
        is_quiet: whether an outcome without a warning is not printed.
        ends_at_once: whether to end the process right after the report: Python would wait for the
            threads of an executor, which may never end.
    """

    is_quiet = False
    ends_at_once = False

    def __init__(
        self,
        name: str,
        cancellation: Cancellation,
        early: dict[str, Login | None],
        *,
        as_json: bool,
        verbose: bool,
    ) -> None:
        self.as_json = as_json
        self.cancellation = cancellation
        self._early = early
        self.progress = Progress()
        self._name = name
        self._verbose = self.progress.show if verbose else None

    def carry_out(self, words: Sequence[str], work: Callable[[], Outcome]) -> int:
        """Do the work and report its outcome; return the exit code.

        Args:
            words: the command line after the command's name.
            work: the work.

        Raises:
            Failure: the work failed.
        """
        began, failure = time.monotonic(), None
        with logged(os.environ, self._warn, self._verbose):
            log.info("version %s begins: %s", __version__, command("csf", self._name, *words))
            try:
                code = self._done(words, work)
            except Failure as error:
                failure, code = error, error.exit_code
            give_up()
            log.info("ended with exit code %d after %.3f s", code, time.monotonic() - began)
        if failure:
            raise failure
        if self.ends_at_once:
            os._exit(code)
        return code

    @contextlib.contextmanager
    def on(self, host: str, doing: str, limit: float | None = None) -> Iterator[Host]:
        """Connect to a host for the block.

        Args:
            host: the host, as the user named it.
            doing: what the block does, for the message if a signal ends it.
            limit: how long the block may take, in seconds; None for a block that changes something.

        Raises:
            HostUnreachable: the host cannot be reached, or the block took longer.
        """
        self.cancellation.describe(doing)
        with (
            self.progress,
            limited(self.cancellation, host, limit) as cancellation,
            connect(host, cancellation, self.progress.note, self._early.pop(host, None)) as at,
        ):
            yield observed(at)

    def _done(self, words: Sequence[str], work: Callable[[], Outcome]) -> int:
        """Do the work and report its outcome; later signals do not change the exit code."""
        doing, here = f"csf {self._name}", translated("localhost", left=UNKNOWN_LEFT)
        with (
            recorded(self._name, words, self._warn, self.cancellation) as result,
            failures(self._print_error),
            here,
        ):
            try:
                result.start()
                result.outcome = outcome = work()
                report(self._name, outcome, as_json=self.as_json, is_quiet=self.is_quiet)
            except KeyboardInterrupt:  # raised where signals are not deferred
                raise Interrupted(signal.SIGINT, doing) from None
            return outcome.code

    def _print_error(self, error: BackupError) -> None:
        if self.as_json:
            report_error(self._name, error)

    def _warn(self, text: str) -> None:
        self.progress.show(f"warning: {text}")
