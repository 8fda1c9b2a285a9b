"""A fleet whose jobs a cluster of Dask runs, by the executor that docs/fleet.md shows."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from dask_cluster import cluster
from documents import block
from fleet_site import FleetSite
from waiting import wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dask_cluster import Cluster


class Bench:
    """A fleet of two repositories, one of which is backed up at a time, and a cluster.

    Args:
        site: the fleet.
        dask: the cluster.
    """

    def __init__(self, site: FleetSite, dask: Cluster) -> None:
        self.site = site
        self.dask = dask
        (directory := site.root / "python").mkdir()
        (directory / "fleet_dask.py").write_text(block("dask executor"))
        site.environment |= {"PYTHONPATH": str(directory), "DASK_SCHEDULER_ADDRESS": dask.address}
        self.words = ("-executor", "fleet_dask:executor", "rotate")

    def job(self) -> int:
        """Return the process of the job that runs."""
        found = []
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            if b"admin_database_rotate" in words and os.fsencode(self._top()) in words:
                found.append(int(pid))
        (job,) = found
        return job

    def _top(self) -> str:
        (name,) = self.site.starts()
        return f"localhost:{self.site.images[name]}"


@pytest.fixture
def failures() -> int:
    """Return how many workers may die with a task before Dask gives up on it."""
    return 3


@pytest.fixture
def bench(tmp_path: Path, failures: int, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    """Return a fleet and a cluster."""
    monkeypatch.setenv("DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES", str(failures))
    site = FleetSite(tmp_path, 2)
    with cluster(tmp_path, site.environment) as dask:
        yield Bench(site, dask)


def test_a_task_that_dask_runs_again_makes_no_second_set(bench: Bench) -> None:
    """The job continues when its worker is dead, and the second run of the task reports its set."""
    site = bench.site
    with site.held():
        driving = site.start(*bench.words)
        wait_for(lambda: site.starts() or driving.has_ended())
        bench.dask.kill_worker_of(bench.job())
    ended = driving.end()
    assert ended.status == 0, ended.said
    assert sorted(one["outcome"]["made_now"] for one in ended.document["jobs"]) == [False, True]
    assert site.proven() == {"lib-0": 1, "lib-1": 1}
    assert sorted(site.starts()) == ["lib-0", "lib-1"]
    assert site.twice() == []


@pytest.mark.parametrize("failures", [0])
def test_a_task_that_dask_gives_up_is_not_taken_for_done(bench: Bench) -> None:
    """A task is reported as neither done nor failed: its job continues and proves the set."""
    site = bench.site
    with site.held():
        driving = site.start(*bench.words)
        wait_for(lambda: site.starts() or driving.has_ended())
        bench.dask.kill_worker_of(bench.job())
    ended = driving.end()
    first, second = ended.document["jobs"]
    assert ended.status == 1, ended.said
    assert (first["exit_code"], second["exit_code"]) == (None, 0)
    assert "the executor has failed (KilledWorker" in first["why"]
    assert "it is not known whether it ran, or still runs" in first["why"]
    wait_for(lambda: site.proven() == {"lib-0": 1, "lib-1": 1})


def test_a_signal_reaches_the_jobs_of_workers(bench: Bench) -> None:
    """A signal reaches the jobs of all workers that can see the driver's temporary directory."""
    site = bench.site
    with site.held():
        driving = site.start(*bench.words)
        wait_for(lambda: site.starts() or driving.has_ended())
        driving.kill(signal.SIGTERM)
        ended = driving.end()
    assert ended.status == 143, ended.said
    assert [one["exit_code"] for one in ended.document["jobs"]] == [143, None]
    assert site.proven() == {"lib-0": 0, "lib-1": 0}
