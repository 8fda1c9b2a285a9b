"""What it costs to find out which databases there are: 1,000, 5,000 and 20,000 of them, in one run.

``python tests/benchmarks/coverage_cost.py``. Printed are the medians of the survey (directory,
manifest, coverage) and of a whole dry run, utilities made of nothing; and the time for each
database, which does not grow.
"""

from __future__ import annotations

import functools
import os
import statistics
import tempfile
import time
from collections.abc import Callable

from csf_backup_plugin.hosts.local import LocalHost
from csf_backup_plugin.operations.backup import back_up
from csf_backup_plugin.operations.backup.request import BackupRequest
from csf_backup_plugin.repository import manifest
from csf_backup_plugin.repository.inventory import read_inventory
from csf_backup_plugin.repository.model import Repository

DATABASES = (1_000, 5_000, 20_000)
ROUNDS = 5


class Nobody:
    """Whom nothing is shown."""

    def note(self, text: str) -> None:
        """Ignore it."""

    def advance(self, phase: str, done: int, total: int) -> None:
        """Ignore it."""


def main() -> None:
    """Measure, and print a table."""
    os.environ["CSF_BACKUP_OSBACKUP"] = os.environ["CSF_BACKUP_OSRESTORE"] = "true"
    print(f"{'databases':>9} {'read_inventory':>9} {'each':>9} {'dry run':>9}")
    for databases in DATABASES:
        with tempfile.TemporaryDirectory() as directory:
            master = _repository(directory, 2 + databases)
            request = BackupRequest.parse(master, f"localhost:{directory}/images/a", dry_run=True)
            host = LocalHost()
            listed = _median(functools.partial(read_inventory, Repository(master), host))
            dry = _median(functools.partial(back_up, request, host, Nobody()))
        print(f"{databases:9,} {listed:7.3f} s {listed / databases * 1e6:6.1f} us {dry:7.3f} s")


def _repository(directory: str, databases: int) -> str:
    """Make a repository of empty databases, and return the master's path."""
    names = ["lib.db", *(f"Class{number}.db" for number in range(databases - 1))]
    for part in ("repository", "images"):
        os.mkdir(os.path.join(directory, part))
    for name in names:
        with open(os.path.join(directory, "repository", name), "w"):
            pass
    master = os.path.join(directory, "repository", "lib.db")
    with open(f"{master}.manifest", "wb") as file:
        file.write(manifest.encode(names))
    return master


def _median(work: Callable[[], object]) -> float:
    times = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        work()
        times.append(time.perf_counter() - began)
    return statistics.median(times)


if __name__ == "__main__":
    main()
