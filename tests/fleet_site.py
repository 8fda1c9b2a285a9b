"""A site of many repositories on many hosts, each with its own sshd, and a driver.

`scenario` is what may happen to a fleet in one night. A small one is a test; a large one is
measured by `benchmarks/fleet_night.py`.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from fleets import written
from sshd import Sshd
from waiting import wait_for

from csf_simulator.repository import repository
from csf_simulator.simulator import Simulator

if TYPE_CHECKING:
    from collections.abc import Iterator

FULL, GONE = "full", "gone"
NAME = "admin_database_fleet"

# It notes each start, and whether another one of the same repository was at work then.
_OSBACKUP = """#!/bin/sh
top=$(dirname "$(dirname "$5")")
case "$top" in
*/full-*) echo "osbackup: $5: No space left on device" >&2; exit 1;;
esac
mkdir "$top/at-work" || echo "$top" >> "{root}/twice"
echo "$top" >> "{root}/starts"
while [ -e "{root}/hold" ]; do sleep 0.1; done
{real} "$@"
status=$?
rmdir "$top/at-work"
exit $status
"""
_CSF = """#!/bin/sh
exec {python} -c '
import sys
import tempfile
sys.path.append("{tests}")
from csf_simulator.csf.main import main
main()' "$@"
"""
#: An executor that runs some tasks twice at once, and returns the first result.
RERUNNING = "fleet_executors:Rerunning"


class Ended(NamedTuple):
    """How a driver has ended.

    Attributes:
        status: its exit status; negative for a signal.
        document: what it has printed; None if it was killed.
        said: the same on standard error.
        seconds: that it took.
        processor: seconds of its own processor time.
        memory: the most that it had, in bytes.
    """

    status: int
    document: Any
    said: str
    seconds: float
    processor: float
    memory: int


class FleetSite:
    """The site.

    Args:
        root: where all of its files are.
        repositories: how many there are.
        hosts: on how many hosts they are; none for this machine alone.
        full: which of them have a disk without room.
    """

    def __init__(
        self, root: Path, repositories: int, hosts: int = 0, full: tuple[int, ...] = ()
    ) -> None:
        self.root = root
        self.sim = Simulator(str(root / "home"))
        self.sim.home.create()
        self.servers: list[Sshd] = []
        self.images: dict[str, Path] = {}
        for name in ("copies", "tmp"):
            (root / name).mkdir()
        self._write_programs()
        self.environment = {
            **self.sim.home.environment(os.environ),
            "CSF_BACKUP_OSBACKUP": str(root / "bin" / "osbackup"),
            "TMPDIR": str(root / "tmp"),  # where a killed driver leaves files
            "CSF_BACKUP_LOCK_WAIT": "250",  # a busy machine is slow
        }
        self.environment["PATH"] = f"{root}/bin:{self.environment['PATH']}"
        if hosts:
            self._serve(hosts)
        self.fleet = self._written(repositories, hosts, full)

    def _write_programs(self) -> None:
        (self.root / "bin").mkdir()
        real, tests = os.path.join(self.sim.home.bin, "osbackup"), Path(__file__).parent
        programs = {
            "osbackup": _OSBACKUP.format(root=self.root, real=real),
            "csf": _CSF.format(python=sys.executable, tests=tests),
        }
        for name, text in programs.items():
            path = self.root / "bin" / name
            path.write_text(text)
            path.chmod(0o755)

    def _serve(self, hosts: int) -> None:
        names = ("PATH", "CSF_SIM_HOME", "CSF_BACKUP_OSBACKUP")
        variables = {"HOME": str(self.root), **{name: self.environment[name] for name in names}}
        lines = []
        for number in range(hosts):
            (directory := self.root / f"sshd{number}").mkdir()
            server = Sshd(directory, variables, "MaxStartups 10:30:100")  # sshd's own default
            self.servers.append(server)
            config = (directory / "ssh_config").read_text()
            lines.append(config.replace("Host remote", f"Host db{number}"))
        (config_file := self.root / "ssh_config").write_text("".join(lines))
        self.environment["CSF_BACKUP_SSH"] = f"ssh -F {config_file}"

    def _written(self, repositories: int, hosts: int, full: tuple[int, ...]) -> str:
        sections = {}
        for number in range(repositories):
            host = f"db{number % hosts}" if hosts else "localhost"
            name = f"{FULL if number in full else 'lib'}-{number}"
            master = str(self.root / "databases" / name / "lib.db")
            repository.create(self.sim.home.server, master)
            self.images[name] = self.root / host / name
            self.images[name].mkdir(parents=True)
            sections[name] = {
                "database": f"{host}:{master}",
                "image-dirs": str(self.images[name]),
                "copy-to": f"{host}:{self.root}/copies",
            }
        return written(self.root / "fleet", sections)

    @contextlib.contextmanager
    def served(self, *gone: int) -> Iterator[None]:
        """Let all hosts but those that are gone be reachable while the block runs."""
        with contextlib.ExitStack() as stack:
            for number, server in enumerate(self.servers):
                if number not in gone:
                    server.start()
                    stack.callback(server.stop)
            yield

    def start(self, *words: str) -> Driving:
        """Start a driver."""
        return Driving(self, words)

    def run(self, *words: str) -> Ended:
        """Run a driver to its end."""
        return self.start(*words).end()

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """Stop every osbackup while the block runs."""
        path = self.root / "hold"
        path.touch()
        try:
            yield
        finally:
            path.unlink()

    def starts(self) -> list[str]:
        """Return the repository's name of each osbackup that was started."""
        return self._noted("starts")

    def twice(self) -> list[str]:
        """Return the repositories whose osbackup was started while another one ran."""
        return self._noted("twice")

    def _noted(self, name: str) -> list[str]:
        path = self.root / name
        return [Path(line).name for line in path.read_text().splitlines()] if path.exists() else []

    def proven(self) -> dict[str, int]:
        """Return how many proven sets each repository has."""
        return {
            name: len([*top.glob("*/*.receipt.json")]) for name, top in sorted(self.images.items())
        }

    def dropped(self) -> int:
        """Return how many logins a host has dropped, as too many came at once."""
        logs = [server.log for server in self.servers if server.log.exists()]
        return sum(log.read_text().count("drop connection") for log in logs)

    def logins(self) -> int:
        """Return the number of logins to all hosts."""
        return sum(server.logins() for server in self.servers if server.log.exists())


class Night(NamedTuple):
    """What has come of a night.

    Attributes:
        killed: how many osbackups had been started when the first driver was killed.
        second: the driver that came after it.
        third: the one after that, which found all done.
        logins: that all of them made.
        made: the logins of the second alone.
    """

    killed: int
    second: Ended
    third: Ended
    logins: int
    made: int

    def made_by_third(self) -> int:
        """Return how many sets the third driver has made."""
        documents = [one["outcome"] or {} for one in self.third.document["jobs"]]
        return sum(bool(one.get("made_now")) for one in documents)


def scenario(site: FleetSite, gone: int, kill_at: int, *again: str) -> Night:
    """Kill a driver, remove a host, fill disks, and let an executor repeat its tasks.

    Args:
        site: the site.
        gone: the number of the host.
        kill_at: how many osbackups have been started when the first driver is killed.
        again: the options of a third driver, which comes when all is done.
    """
    with site.served(gone):
        first = site.start("rotate")
        wait_for(lambda: len(site.starts()) >= kill_at or first.has_ended())
        first.kill()
        first.end()
        killed, before = len(site.starts()), site.logins()
        second = site.run("-executor", RERUNNING, "rotate")
        made = site.logins() - before
        third = site.run(*again, "rotate")
        return Night(killed, second, third, site.logins(), made)


class Driving:
    """A driver that runs.

    Args:
        site: of which fleet.
        words: its options, and what it does.
    """

    def __init__(self, site: FleetSite, words: tuple[str, ...]) -> None:
        self._began = time.monotonic()
        with contextlib.ExitStack() as stack:
            self._out = stack.enter_context(tempfile.TemporaryFile())
            self._err = stack.enter_context(tempfile.TemporaryFile())
            stack.pop_all()
        self.process = subprocess.Popen(
            [site.root / "bin" / "csf", NAME, "-fleet", site.fleet, "-json", *words],
            env=site.environment,
            stdin=subprocess.DEVNULL,
            stdout=self._out,
            stderr=self._err,
        )

    def kill(self, signum: signal.Signals = signal.SIGKILL) -> None:
        """Send it a signal."""
        self.process.send_signal(signum)

    def has_ended(self) -> bool:
        """Tell whether it has ended, so that a test need not wait for more."""
        return self.process.poll() is not None

    def end(self) -> Ended:
        """Wait for its end; return how it ended."""
        processor, memory = 0.0, 0
        with contextlib.suppress(FileNotFoundError, ProcessLookupError, KeyError):  # it is gone
            while self.process.poll() is None:
                processor, memory = _used(self.process.pid)
                time.sleep(0.02)
        status = self.process.wait()
        with self._out, self._err:
            printed, said = (_whole(file) for file in (self._out, self._err))
        document = json.loads(printed) if printed else None
        seconds = time.monotonic() - self._began
        return Ended(status, document, said, seconds, processor, memory)


def _whole(file: Any) -> str:
    file.seek(0)
    return str(file.read().decode())


def _used(pid: int) -> tuple[float, int]:
    """Return the processor time, in seconds, and the largest memory of a process, in bytes."""
    stat = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    status = dict(
        line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines()
    )
    ticks = os.sysconf("SC_CLK_TCK")
    return (int(stat[11]) + int(stat[12])) / ticks, int(status["VmHWM"].split()[0]) * 1024
