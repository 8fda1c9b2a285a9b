"""A Dask cluster on this machine: a scheduler and two workers, each in its own process."""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import needed
from waiting import wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

_LOOPBACK = ("--host", "127.0.0.1")
_WORKERS = 2


class Cluster:
    """The cluster.

    Args:
        address: of the scheduler.
        workers: the processes that run tasks.
    """

    def __init__(self, address: str, workers: list[subprocess.Popen[bytes]]) -> None:
        self.address = address
        self._workers = workers

    def kill_worker_of(self, pid: int) -> None:
        """Kill the worker that has started a process."""
        with open(f"/proc/{pid}/stat") as file:
            parent = int(file.read().rpartition(")")[2].split()[1])
        (worker,) = [one for one in self._workers if one.pid == parent]
        worker.kill()
        worker.wait()


@contextlib.contextmanager
def cluster(directory: Path, environment: Mapping[str, str]) -> Iterator[Cluster]:
    """Yield a cluster while the block runs.

    Args:
        directory: for its files.
        environment: of its workers, and so of what they start.
    """
    if importlib.util.find_spec("distributed") is None:
        needed.lacking("distributed is not installed; pip install '.[dask]'")
    file = directory / "scheduler.json"
    known = ("--scheduler-file", str(file))
    with contextlib.ExitStack() as stack:

        def start(*words: str) -> subprocess.Popen[bytes]:
            process = subprocess.Popen(
                [sys.executable, "-m", "distributed.cli.dask_" + words[0], *words[1:], *known],
                cwd=directory,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
            stack.callback(process.wait)
            stack.callback(_kill, process)
            return process

        start("scheduler", *_LOOPBACK, "--port", "0", "--dashboard-address", "127.0.0.1:0")
        wait_for(file.exists)
        plain = (
            "--dashboard-address",
            "127.0.0.1:0",
            "--no-nanny",
            "--nthreads",
            "1",
            "--local-directory",
            "work",
        )
        workers = [start("worker", *_LOOPBACK, *plain) for _ in range(_WORKERS)]
        yield Cluster(json.loads(file.read_text())["address"], workers)


def _kill(process: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
