"""A fleet for tests of its driver: a file, jobs as plain values, and executors of every kind."""

from __future__ import annotations

import json
from concurrent.futures import Executor, Future
from typing import TYPE_CHECKING, Any

from csf_backup_plugin.fleet.driver.job import JobResult, JobSpec

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from csf_backup_plugin.fleet.driver.loop import State


def spec(name: str, host: str = "db1", lanes: Sequence[str] = (), **fields: Any) -> JobSpec:
    """Return a job, on a host's lane unless another is given."""
    lanes = tuple(lanes) or (f"host {host}",)
    return JobSpec(name, name, host, "/r/lib.db", ("rotate",), lanes, f"id-{name}", 60.0, **fields)


def result(name: str, code: int | None = 0, problem: str = "") -> JobResult:
    """Return a job's result."""
    return JobResult(name, code, {"exit_code": code}, problem, 1.0, "here")


class Desk(Executor):
    """An executor that runs nothing: the test decides the result of each job.

    Attributes:
        given: the jobs that it was given, in that order, with what becomes of each.
    """

    def __init__(self) -> None:
        self.given: dict[str, tuple[JobSpec, Future[Any]]] = {}
        self.closed: list[bool] = []

    def submit(self, _run: Callable[..., Any], /, *args: Any, **_: Any) -> Future[Any]:
        """Take a job."""
        (one,) = args
        future: Future[Any] = Future()
        self.given[one.name] = (one, future)
        return future

    def end(self, name: str, code: int | None = 0) -> None:
        """End a job."""
        self.given[name][1].set_result(result(name, code))

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:  # noqa: FBT001, FBT002
        """Record whether to wait."""
        assert not cancel_futures
        self.closed.append(wait)


class Script:
    """A listener that runs the next of several steps each time that it gets the jobs.

    Args:
        steps: what to do; each is given the state.
    """

    def __init__(self, *steps: Callable[[State], object]) -> None:
        self._steps = [*steps]
        self.seen: list[tuple[list[str], int]] = []

    def watch(self, state: State) -> None:
        """Run the next step."""
        self.seen.append(([one.spec.name for one in state.running], state.waiting))
        if self._steps:
            self._steps.pop(0)(state)


def written(path: Path, sections: dict[str, dict[str, str]]) -> str:
    """Write a fleet file; return its path."""
    lines = []
    for name, keys in sections.items():
        lines += [f"[{name}]", *(f"{key} = {value}" for key, value in keys.items()), ""]
    path.write_text("\n".join(lines))
    return str(path)


def printing(document: dict[str, Any], code: int = 0) -> str:
    """Return a script that prints a document and ends."""
    return f"cat <<'END'\n{json.dumps({'exit_code': code, **document})}\nEND\nexit {code}"
