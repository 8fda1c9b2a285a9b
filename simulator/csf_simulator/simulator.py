"""A simulator for programs: make repositories, and run commands in its environment."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from itertools import count
from types import TracebackType

from csf_simulator.faults.fault import Fault
from csf_simulator.home import Home
from csf_simulator.repository import repository
from csf_simulator.repository.check import Finding, check
from csf_simulator.system.processes import Result as Result
from csf_simulator.system.processes import run_to_end
from csf_simulator.workload.background import start_workload
from csf_simulator.workload.running import Workload


class Simulator:
    """A simulated ObjectStore and csf, as a context manager.

    Args:
        path: its home, which stays; without one, a temporary one that is removed at the end.

    Example:
        ::

            with Simulator() as sim:
                master = sim.repository(classes=3)
                result = sim.csf("class_create", "-database", master, "-class", "Person")
                assert result.exit_code == 0, result.stderr
                assert sim.check(master) == []
    """

    def __init__(self, path: str | None = None) -> None:
        self._temporary = path is None
        self.home = Home(path or tempfile.mkdtemp(prefix="csf-sim-"))
        self.faults = self.home.faults

    def __enter__(self) -> Simulator:
        self.home.create()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._temporary:
            shutil.rmtree(self.home.path)

    def repository(self, *, classes: int = 0, size: int = 0) -> str:
        """Make a repository in a directory of its own and return its master database's path.

        Args:
            classes: how many classes it has.
            size: bytes in each class's database.
        """
        places = (os.path.join(self.home.path, f"repository{number}") for number in count(1))
        place = next(place for place in places if not os.path.exists(place))
        master = os.path.join(place, "master.db")
        return repository.create(self.home.server, master, classes=classes, size=size)

    def check(self, master: str) -> list[Finding]:
        """Return what is wrong with a repository; see `check.check`."""
        return check(self.home.server, master)

    def workload(
        self, master: str, *, writers: int = 4, durable: bool = False
    ) -> AbstractContextManager[Workload]:
        """Keep a repository busy while a block runs.

        Args:
            master: the repository's master database.
            writers: number of processes that move money between its classes.
            durable: flush every transaction to the disk.

        Example:
            ::

                with sim.workload(master, writers=4) as workload:
                    sim.csf("admin_database_backup", ...)
                assert workload.result().transactions > 0
        """
        return start_workload(self.home.server, master, writers=writers, durable=durable)

    def fault(self, tool: str, kind: str, value: str = "", *, always: bool = False) -> None:
        """Script a fault for the next run of a utility.

        Args:
            tool: the utility, such as osbackup.
            kind: what goes wrong; `csf-sim fault --help` lists the kinds and their values.
            value: what the kind needs.
            always: inject it in every run from then on.

        Raises:
            ValueError: the utility has no such fault, or the value is not what it takes.
        """
        self.faults.script(Fault(tool, kind, value, always))

    def csf(self, *arguments: str) -> Result:
        """Run csf."""
        return self.run(["csf", *arguments])

    def run(
        self,
        command: Sequence[str],
        *,
        env: Mapping[str, str] | None = None,
        cwd: str | None = None,
        timeout: float = 60,
    ) -> Result:
        """Run a command that sees the simulator, with nothing on its standard input.

        OS_ROOTDIR and CSF_BACKUP_* of this process do not reach it.

        Args:
            command: program and arguments.
            env: variables to set besides; any, also these.
            cwd: directory to run in.
            timeout: seconds until it is killed, with all processes of its session.

        Raises:
            subprocess.TimeoutExpired: it was killed.
        """
        environment = {**self.home.environment(os.environ), **(env or {})}
        return run_to_end(command, env=environment, cwd=cwd, timeout=timeout)
