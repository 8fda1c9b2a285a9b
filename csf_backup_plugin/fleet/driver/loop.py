"""The driver: starts jobs as far as the limits let it, and knows of each what has become of it."""

from __future__ import annotations

import collections
import contextlib
import queue
import time
from typing import TYPE_CHECKING, NamedTuple, Protocol

from csf_backup_plugin.exit_codes import ExitCode
from csf_backup_plugin.fleet.driver.job import GRACE, NOT_STARTED, JobResult, run_job
from csf_backup_plugin.fleet.driver.lanes import startable

if TYPE_CHECKING:
    from collections.abc import Sequence
    from concurrent.futures import Executor, Future
    from pathlib import Path

    from csf_backup_plugin.cancellation import Cancellation
    from csf_backup_plugin.fleet.driver.job import JobSpec

#: Seconds that an executor may take longer than the job that it runs.
MARGIN = 60.0
#: What is said of a job of which its executor has told nothing.
NOT_KNOWN = "it is not known whether it ran, or still runs"

_POLL = 0.2  # seconds between two looks at the signals that came


class Running(NamedTuple):
    """A job that was given to the executor.

    Attributes:
        spec: the job.
        future: what becomes of it.
        began: the monotonic time of that.
    """

    spec: JobSpec
    future: Future[JobResult]
    began: float


class State(NamedTuple):
    """How far the jobs are.

    Attributes:
        results: of those that have ended, in the order in which they did.
        running: those that were started, in that order.
        waiting: how many were not.
        is_stopping: whether no more will be.
    """

    results: Sequence[JobResult]
    running: Sequence[Running]
    waiting: int
    is_stopping: bool


class Watcher(Protocol):
    """Somebody who is shown how far the jobs are. It never fails."""

    def watch(self, state: State) -> None:
        """Learn how far the jobs are; called several times a second."""
        ...


class Driver:
    """Runs jobs.

    Args:
        specs: the jobs, the longest waiting first.
        jobs: how many may run at once.
        executor: who runs them.
        watcher: shown how far they are.
        cancellation: what stops them.
        directory: an empty one, for the file that tells the jobs to stop.

    Attributes:
        is_any_lost: whether the executor has told nothing of some job, which may still run.
    """

    def __init__(
        self,
        specs: Sequence[JobSpec],
        jobs: int,
        executor: Executor,
        watcher: Watcher,
        cancellation: Cancellation,
        directory: Path,
    ) -> None:
        self._waiting = list(specs)
        self._jobs = jobs
        self._executor = executor
        self._watcher = watcher
        self._cancellation = cancellation
        self._running: dict[str, Running] = {}
        self._results: list[JobResult] = []
        self._ended: queue.SimpleQueue[Running] = queue.SimpleQueue()
        self._stopped_at: float | None = None
        self._stop_file = directory / "stop"
        # There may be no room for another file when a signal comes; to rename one takes none.
        self._go_file = directory / "go"
        self._go_file.touch()
        self.is_any_lost = False

    def run(self) -> list[JobResult]:
        """Run all jobs, or those that end before a signal comes; return the results of all."""
        while self._waiting or self._running:
            if self._cancellation.received:
                self._stop()
            else:
                self._start()
            self._watcher.watch(self._state())
            self._take()
            self._give_up()
        return self._results

    def _state(self) -> State:
        running = [*self._running.values()]
        is_stopping = self._stopped_at is not None
        return State(self._results, running, len(self._waiting), is_stopping)

    def _start(self) -> None:
        while len(self._running) < self._jobs:
            lanes = (lane for one in self._running.values() for lane in one.spec.lanes)
            spec = startable(self._waiting, collections.Counter(lanes))
            if spec is None:
                return
            self._waiting.remove(spec)
            self._submit(spec)

    def _submit(self, spec: JobSpec) -> None:
        try:
            future = self._executor.submit(run_job, spec._replace(stop=str(self._stop_file)))
            one = Running(spec, future, time.monotonic())
            future.add_done_callback(lambda _: self._ended.put(one))
        except Exception as error:  # whatever an executor's author has thought of
            self._note(spec, None, f"the executor has not taken it ({_kind(error)}); {NOT_KNOWN}")
            return
        self._running[spec.name] = one

    def _take(self) -> None:
        """Wait a while for a job's end; enter all that have ended."""
        timeout: float | None = _POLL
        try:
            while True:
                self._enter(self._ended.get(timeout=timeout))
                timeout = 0
        except queue.Empty:
            pass

    def _enter(self, one: Running) -> None:
        if self._running.pop(one.spec.name, None) is None:
            return  # it was given up
        if one.future.cancelled():
            self._note(one.spec, one, f"the executor has taken it back; {NOT_KNOWN}")
            return
        if error := one.future.exception():
            self._note(one.spec, one, f"the executor has failed ({_kind(error)}); {NOT_KNOWN}")
            return
        result = one.future.result()
        if not isinstance(result, JobResult) or result.name != one.spec.name:
            self._note(one.spec, one, f"the executor has told of something else; {NOT_KNOWN}")
            return
        self._results.append(result)
        if result.exit_code == ExitCode.HOST_UNREACHABLE:
            self._put_behind(one.spec)

    def _note(self, spec: JobSpec, one: Running | None, problem: str) -> None:
        """Enter a job of which the executor tells nothing."""
        seconds = round(time.monotonic() - one.began, 3) if one else 0.0
        self._results.append(JobResult(spec.name, None, None, problem, seconds))

    def _put_behind(self, gone: JobSpec) -> None:
        """Let the jobs of a host that is gone come last: each waits for it a while, in vain."""
        self._waiting.sort(key=lambda one: one.host == gone.host)

    def _stop(self) -> None:
        """Stop what runs, and start no more; once."""
        if self._stopped_at is not None:
            return
        self._stopped_at = time.monotonic()
        with contextlib.suppress(OSError):  # somebody has removed it: the jobs go on to their end
            self._go_file.rename(self._stop_file)
        for spec in self._waiting:
            self._results.append(JobResult(spec.name, None, None, NOT_STARTED))
        self._waiting.clear()

    def _give_up(self) -> None:
        """Enter the jobs that the executor should have told of by now."""
        now = time.monotonic()
        for one in [*self._running.values()]:
            late = one.began + one.spec.limit
            if self._stopped_at is not None:
                late = min(late, self._stopped_at + GRACE)
            if now > late + MARGIN:
                del self._running[one.spec.name]
                self.is_any_lost = True
                # Not before: some executors take back what runs, and then tell nothing of its end.
                one.future.cancel()
                told = f"the executor has told nothing of it in {now - one.began:.0f} s"
                self._note(one.spec, one, f"{told}; {NOT_KNOWN}")


def _kind(error: BaseException) -> str:
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
