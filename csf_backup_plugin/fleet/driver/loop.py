"""The driver: start jobs within the limits, and collect the result of each."""

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

#: Seconds that an executor may need in addition to a job's limit.
MARGIN = 60.0
#: The problem of a job whose executor has returned no result.
NOT_KNOWN = "it is not known whether it ran, or still runs"

_POLL = 0.2  # seconds between two checks for signals


class Running(NamedTuple):
    """A job that was given to the executor.

    Attributes:
        spec: the job.
        future: the executor's future of its result.
        began: when it was given to the executor, in monotonic time.
    """

    spec: JobSpec
    future: Future[JobResult]
    began: float


class State(NamedTuple):
    """The state of the jobs.

    Attributes:
        results: the results of the jobs that have ended, in that order.
        running: the jobs that are running, in the order of their start.
        waiting: how many jobs were not started yet.
        is_stopping: whether no more jobs will be started.
    """

    results: Sequence[JobResult]
    running: Sequence[Running]
    waiting: int
    is_stopping: bool


class Watcher(Protocol):
    """A watcher of the jobs, such as a progress display. It never fails."""

    def watch(self, state: State) -> None:
        """Take the state of the jobs; called several times a second."""
        ...


class Driver:
    """The driver of jobs.

    Args:
        specs: the jobs, the longest waiting first.
        jobs: how many may run at once.
        executor: the executor that runs them.
        watcher: gets the state of the jobs, again and again.
        cancellation: the cancellation of the command.
        directory: an empty directory, for the file that stops the jobs.

    Attributes:
        is_any_lost: whether the executor has not returned the result of a job, which may still run.
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
        # A file is renamed to stop the jobs, since the disk may be too full for a new file then.
        self._go_file = directory / "go"
        self._go_file.touch()
        self.is_any_lost = False

    def run(self) -> list[JobResult]:
        """Run the jobs until all have ended or a signal comes; return a result for each."""
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
        except Exception as error:  # a foreign executor may raise anything
            self._note(spec, None, f"the executor did not accept it ({_kind(error)}); {NOT_KNOWN}")
            return
        self._running[spec.name] = one

    def _take(self) -> None:
        """Wait briefly for a job's end; add the results of all that have ended."""
        timeout: float | None = _POLL
        try:
            while True:
                self._enter(self._ended.get(timeout=timeout))
                timeout = 0
        except queue.Empty:
            pass

    def _enter(self, one: Running) -> None:
        if self._running.pop(one.spec.name, None) is None:
            return  # its result came after `_give_up`
        if one.future.cancelled():
            self._note(one.spec, one, f"the executor has cancelled it; {NOT_KNOWN}")
            return
        if error := one.future.exception():
            self._note(one.spec, one, f"the executor has failed ({_kind(error)}); {NOT_KNOWN}")
            return
        result = one.future.result()
        if not isinstance(result, JobResult) or result.name != one.spec.name:
            self._note(one.spec, one, f"the executor has reported another job; {NOT_KNOWN}")
            return
        self._results.append(result)
        if result.exit_code == ExitCode.HOST_UNREACHABLE:
            self._move_to_end(one.spec)

    def _note(self, spec: JobSpec, one: Running | None, problem: str) -> None:
        """Add the result of a job without a result from the executor."""
        seconds = round(time.monotonic() - one.began, 3) if one else 0.0
        self._results.append(JobResult(spec.name, None, None, problem, seconds))

    def _move_to_end(self, gone: JobSpec) -> None:
        """Move the jobs of an unreachable host to the end: each would wait for the connection."""
        self._waiting.sort(key=lambda one: one.host == gone.host)

    def _stop(self) -> None:
        """Ask the running jobs to stop, and start no more; only the first call does anything."""
        if self._stopped_at is not None:
            return
        self._stopped_at = time.monotonic()
        with contextlib.suppress(OSError):  # the file was removed: the jobs run to their end
            self._go_file.rename(self._stop_file)
        for spec in self._waiting:
            self._results.append(JobResult(spec.name, None, None, NOT_STARTED))
        self._waiting.clear()

    def _give_up(self) -> None:
        """Give up the jobs whose results are overdue."""
        now = time.monotonic()
        for one in [*self._running.values()]:
            late = one.began + one.spec.limit
            if self._stopped_at is not None:
                late = min(late, self._stopped_at + GRACE)
            if now > late + MARGIN:
                del self._running[one.spec.name]
                self.is_any_lost = True
                # Not earlier: some executors cancel a running job, and never return its result.
                one.future.cancel()
                why = f"the executor has reported nothing about it for {now - one.began:.0f} s"
                self._note(one.spec, one, f"{why}; {NOT_KNOWN}")


def _kind(error: BaseException) -> str:
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
