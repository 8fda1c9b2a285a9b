"""The driver: what starts when, and that a job with an unknown end never counts as done."""

from __future__ import annotations

import signal
from concurrent.futures import BrokenExecutor, ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest
from fleets import Desk, Script, result, spec

from csf_backup_plugin.cancellation import Cancellation
from csf_backup_plugin.fleet.driver import loop
from csf_backup_plugin.fleet.driver.job import NOT_STARTED
from csf_backup_plugin.fleet.driver.loop import NOT_KNOWN, Driver

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from concurrent.futures import Executor
    from pathlib import Path

    from csf_backup_plugin.fleet.driver.job import JobResult, JobSpec
    from csf_backup_plugin.fleet.driver.loop import State


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the driver poll often."""
    monkeypatch.setattr(loop, "_POLL", 0.001)


class Bench:
    """A driver, its executor, and what stops it.

    Args:
        directory: for the driver.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self.desk = Desk()
        self.cancellation = Cancellation()
        self.stop_file = directory / "stop"

    def run(
        self,
        specs: Sequence[JobSpec],
        *steps: Callable[[State], object],
        jobs: int = 8,
        executor: Executor | None = None,
    ) -> dict[str, JobResult]:
        """Run jobs, with a step of the test after each poll of the driver."""
        self.script = Script(*steps)
        self.driver = Driver(
            *(specs, jobs, executor or self.desk, self.script, self.cancellation, self._directory)
        )
        return {one.name: one for one in self.driver.run()}

    def end(self, *names: str, code: int = 0) -> Callable[[State], None]:
        """Return a step that ends jobs."""

        def step(_state: State) -> None:
            for name in names:
                self.desk.end(name, code)

        return step

    def tell(self, name: str, act: Callable[[Any], object]) -> Callable[[State], object]:
        """Return a step that changes a job's future."""
        return lambda _: act(self.desk.given[name][1])

    def strike(self, signum: signal.Signals = signal.SIGTERM) -> Callable[[State], None]:
        """Return a step in which a signal comes."""
        return lambda _: self.cancellation.cancel(signum)


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    """Return a driver's surroundings."""
    return Bench(tmp_path)


def test_no_more_jobs_run_than_may(bench: Bench) -> None:
    """There is a limit for all, and one for each host; the others wait in order."""
    specs = [spec(name, f"db{name[0]}") for name in ("1a", "1b", "1c", "2a", "3a")]
    ends = [bench.end("1b"), bench.end("1a"), bench.end("1c", "2a", "3a")]
    done = bench.run(specs, *ends, jobs=3)
    assert bench.script.seen == [
        (["1a", "1b", "2a"], 2),
        (["1a", "2a", "1c"], 1),
        (["2a", "1c", "3a"], 0),
    ]
    assert [*bench.desk.given] == ["1a", "1b", "2a", "1c", "3a"]
    assert {one.exit_code for one in done.values()} == {0}
    assert not bench.driver.is_any_lost


def test_a_failure_delays_nobody(bench: Bench) -> None:
    """The next job starts nevertheless."""
    specs = [spec("a"), spec("b"), spec("c")]
    done = bench.run(specs, bench.end("a", code=40), bench.end("b", "c"))
    assert {name: one.exit_code for name, one in done.items()} == {"a": 40, "b": 0, "c": 0}


def test_the_jobs_of_a_host_that_is_gone_come_last(bench: Bench) -> None:
    """Each of them would wait in vain, and the others need not wait for that."""
    specs = [spec("1a", "db1"), spec("1b", "db1"), spec("1c", "db1"), spec("2a", "db2")]
    steps = [bench.end(name, code=30 * (name[0] == "1")) for name in ("1a", "2a", "1b", "1c")]
    bench.run(specs, *steps, jobs=1)
    assert [*bench.desk.given] == ["1a", "2a", "1b", "1c"]


def test_threads_run_the_jobs(bench: Bench, tmp_path: Path) -> None:
    """The values are plain, so that any executor could pass them on."""
    (csf := tmp_path / "csf").write_text("#!/bin/sh\necho '{\"exit_code\": 0}'\n")
    csf.chmod(0o755)
    specs = [spec(name, name, program=str(csf)) for name in "abc"]
    with ThreadPoolExecutor(2) as threads:
        done = bench.run(specs, executor=threads)
    assert [one.exit_code for one in done.values()] == [0, 0, 0]


LOST: list[tuple[Callable[[Any], object], str]] = [
    (lambda future: future.cancel(), "has cancelled it"),
    (lambda future: future.set_exception(BrokenExecutor("a worker\ndied")), "a worker died"),
    (lambda future: future.set_exception(KeyError()), "has failed (KeyError)"),
    (lambda future: future.set_exception(SystemExit(3)), "has failed (SystemExit: 3)"),
    (lambda future: future.set_result(None), "has reported another job"),
    (lambda future: future.set_result(result("b")), "has reported another job"),
]


@pytest.mark.parametrize(("act", "told"), LOST)
def test_what_the_executor_does_not_tell_is_not_known(
    bench: Bench, act: Callable[[Any], object], told: str
) -> None:
    """The job may have run, or still run; the others continue."""
    done = bench.run([spec("a"), spec("b")], bench.tell("a", act), bench.end("b"))
    assert (done["a"].exit_code, done["b"].exit_code) == (None, 0)
    assert told in done["a"].problem
    assert NOT_KNOWN in done["a"].problem


def test_an_executor_that_takes_nothing_is_reported(bench: Bench) -> None:
    """It is reported for each job, since each was submitted."""

    class Full(Desk):
        def submit(self, *_: Any, **__: Any) -> Any:
            raise RuntimeError("cannot schedule new futures after shutdown")

    done = bench.run([spec("a"), spec("b")], executor=Full())
    for one in done.values():
        assert one.exit_code is None
        assert "did not accept it (RuntimeError: cannot schedule" in one.problem


def test_an_executor_that_returns_no_future_is_reported(bench: Bench) -> None:
    """The job may run nevertheless; the driver continues with the others."""

    class Mute(Desk):
        def submit(self, run: Any, /, *args: Any, **options: Any) -> Any:
            future = super().submit(run, *args, **options)
            return None if args[0].name == "a" else future

    bench.desk = Mute()
    done = bench.run([spec("a"), spec("b")], bench.end("b"))
    assert done["a"].exit_code is None
    assert NOT_KNOWN in done["a"].problem
    assert done["b"].exit_code == 0


def test_a_job_of_which_nothing_is_ever_reported_is_given_up(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A later result changes nothing, and the driver does not wait for the executor."""
    monkeypatch.setattr(loop, "MARGIN", 0.0)
    lost, late = spec("lost")._replace(limit=0.0), bench.end("lost")
    begin = bench.tell("lost", lambda future: future.set_running_or_notify_cancel())
    done = bench.run([lost, spec("b")], begin, late, bench.end("b"))
    assert "has reported nothing about it for 0 s" in done["lost"].problem
    assert (done["lost"].exit_code, done["b"].exit_code) == (None, 0)
    assert bench.driver.is_any_lost
    assert len(done) == 2


def test_a_signal_stops_what_runs_and_starts_no_more(bench: Bench) -> None:
    """The file that running jobs look for is made; then the driver waits for them."""
    specs = [spec("a"), spec("b"), spec("c")]

    def is_told(state: State) -> None:
        assert state.is_stopping
        assert bench.desk.given["a"][0].stop == str(bench.stop_file)
        assert bench.stop_file.exists()
        bench.desk.end("a", 143)

    def begin(_state: State) -> None:
        for name in ("a", "b"):
            bench.desk.given[name][1].set_running_or_notify_cancel()
        assert not bench.stop_file.exists()

    done = bench.run(specs, begin, bench.strike(), is_told, bench.end("b", code=143))
    assert {name: one.exit_code for name, one in done.items()} == {"a": 143, "b": 143, "c": None}
    assert done["c"].problem == NOT_STARTED
    assert [*bench.desk.given] == ["a", "b"]


def test_jobs_that_do_not_stop_are_not_waited_for_without_end(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There is a limit, also if the file cannot be made any more."""
    monkeypatch.setattr(loop, "MARGIN", 0.0)
    monkeypatch.setattr(loop, "GRACE", 0.0)

    def begin(_state: State) -> None:
        (bench.stop_file.parent / "go").unlink()
        bench.cancellation.cancel(signal.SIGINT)

    done = bench.run([spec("a")], begin)
    assert NOT_KNOWN in done["a"].problem
    assert bench.driver.is_any_lost
    assert bench.desk.given["a"][1].cancelled()  # a job that has not begun does not begin


def test_a_signal_before_all_starts_nothing(bench: Bench) -> None:
    """Each job is reported as not started."""
    bench.cancellation.cancel(signal.SIGHUP)
    done = bench.run([spec("a"), spec("b")])
    assert [one.problem for one in done.values()] == [NOT_STARTED] * 2
    assert bench.desk.given == {}
