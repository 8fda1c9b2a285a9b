"""A machine where csf runs by cron alone, on virtual time, and what it reports.

Two repositories have two disks each. Each one's crontab is what `csf admin_database_schedule`
prints; its lines are run as cron runs them, and the output of a line is its mail.
"""

from __future__ import annotations

import datetime
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from crontabs import read_crontab
from installed_plugins import HEAD, install
from osbackup_at_work import kill_osbackup, wait_for_osbackup
from small_disks import empty, entering, fill
from waiting import wait_for

from csf_simulator.repository import repository

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from crontabs import Job
    from faked_clock import FakedClock

    from csf_simulator.simulator import Simulator

    #: A fault, as three parts: before the rotation, after it, and in the evening.
    Fault = Callable[["Unattended", str], Iterator[None]]

#: The repositories, and when their rotations begin.
FIRST = {"lib": "04:10", "shop": "04:40"}
DISKS = ("disk1", "disk2")
ROTATE, STATUS = "rotate", "status"
_YEAR = datetime.timedelta(days=365)
_CLASS = 200_000  # bytes of each database of a class
_PAGE_AT = datetime.time(12)
# The variables that cron itself sets, besides HOME and LOGNAME.
_CRONS_OWN = {"PATH": "/usr/bin:/bin", "SHELL": "/bin/sh"}
_PLUGIN = """
import json
import pathlib

@hookimpl
def attempt_finished(outcome: Outcome) -> None:
    with pathlib.Path(__file__).with_suffix(".told").open("a") as file:
        file.write(json.dumps(outcome._asdict()) + "\\n")
"""
_MAIN = "from csf_simulator.csf.main import main; main()"


class Ran(NamedTuple):
    """What a line has reported.

    Attributes:
        job: the line.
        mail: what it has printed, which cron sends; nothing is sent if it is empty.
        outcomes: what the plugin was told, and the program.
    """

    job: Job
    mail: str
    outcomes: list[dict[str, Any]]


class Day(NamedTuple):
    """What was reported on a day.

    Attributes:
        ran: each line, in the order in which they were run.
        page: all samples that node_exporter would read at noon.
    """

    ran: list[Ran]
    page: str


def _nothing() -> None:
    """Do nothing."""


def _executable(path: Path, line: str) -> None:
    path.write_text(f"#!/bin/sh\n{line}\n")
    path.chmod(0o755)


class Unattended:
    """The machine.

    Args:
        sim: the simulator it lives in.
        clock: what all commands see.
        root: where all of its files are.
        disks: the process in whose mount namespace the images' disks are.
    """

    def __init__(
        self, sim: Simulator, clock: FakedClock, root: Path, disks: subprocess.Popen[str]
    ) -> None:
        self._sim = sim
        self._clock = clock
        self._root = root
        self._enter = entering(disks)
        self._inside = Path(f"/proc/{disks.pid}/root{root}")
        self._ahead = datetime.timedelta()
        self._strike: Callable[[], None] = _nothing
        self._told = 0
        self._changing = [str(self._inside / name) for name in FIRST]
        self._changing += [str(root / "databases"), os.path.join(sim.home.path, "state")]
        for name in ("bin", "home", "scratch", "metrics", "plugins"):
            (root / name).mkdir()
        install(root / "plugins", "night_watch", HEAD + _PLUGIN, "night_watch")
        self._path = os.pathsep.join([str(root / "bin"), sim.home.bin, os.defpath])
        code = f"import sys; sys.path.append({str(root / 'plugins')!r}); {_MAIN}"
        _executable(root / "bin" / "csf", f'exec {sys.executable} -I -c "{code}" "$@"')
        _executable(root / "bin" / "on-finish", 'exec cat >> "$0.told"')
        for name in FIRST:
            repository.create(sim.home.server, self._master(name), classes=2, size=_CLASS)
        # A real machine has them for every user, so no crontab must set them.
        self._machine = {
            "CSF_SIM_HOME": sim.home.path,
            "HOME": str(root / "home"),
        }
        crontabs = [read_crontab(self._printed(name), name) for name in FIRST]
        page = read_crontab(self._page_line(), "")._replace(settings=crontabs[0].settings)
        jobs = [(job, one.settings) for one in (*crontabs, page) for job in one.jobs]
        self._jobs = sorted(jobs, key=lambda one: one[0].at)

    def _master(self, name: str) -> str:
        return str(self._root / "databases" / name / f"{name}.db")

    def _top(self, name: str, disk: str) -> str:
        return str(self._root / name / disk)

    def _printed(self, name: str) -> str:
        """Return the crontab of a repository, as csf prints it."""
        words = ["csf", "admin_database_schedule", "-database", self._master(name)]
        for disk in DISKS:
            words += ["-image-dir", f"localhost:{self._top(name, disk)}"]
        words += ["-drill-every", "7d", "-scratch-dir", str(self._root / "scratch")]
        told = {
            "PATH": self._path,
            "CSF_BACKUP_ON_FINISH": str(self._root / "bin" / "on-finish"),
            "CSF_BACKUP_METRICS_DIR": str(self._root / "metrics"),
        }
        form = ("-at", FIRST[name], "-format", "cron")
        made = self._sim.run([*self._enter, *words, *form], env=told)
        assert made.exit_code == 0, made.stderr
        assert "-require-mount" in made.stdout
        return made.stdout

    def _page_line(self) -> str:
        """Return the line for Prometheus in docs/monitoring.md, changed to run once a day."""
        words = [f"{self._root}/bin/csf admin_database_status"]
        for name in FIRST:
            words += [f"-image-dir localhost:{self._top(name, disk)}" for disk in DISKS]
            words.append(f"-database localhost:{self._master(name)}")
        output = f"-format prometheus -output {self._root}/metrics/csf.prom"
        return f"{_PAGE_AT.minute} {_PAGE_AT.hour} * * * {' '.join(words)} {output}\n"

    def live(self, date: datetime.date, struck: str = "", fault: Fault | None = None) -> Day:
        """Run all lines of a day.

        Args:
            date: which day.
            struck: which repository has a fault that night; none, if it is empty.
            fault: which.
        """
        ran, befalls = list[Ran](), fault(self, struck) if fault else iter(())
        for job, settings in self._jobs:
            at = datetime.datetime.combine(date, job.at, tzinfo=datetime.timezone.utc)
            is_struck = (job.owner, job.kind) == (struck, ROTATE)
            if is_struck:
                next(befalls)
            ran.append(Ran(job, self._run(job, settings, at + self._ahead), self._newly_told()))
            if is_struck:
                next(befalls)
        pages = sorted((self._root / "metrics").glob("*.prom"))
        page = self._shown("".join(one.read_text() for one in pages))
        assert next(befalls, None) is None
        return Day(ran, page)

    def _run(self, job: Job, settings: Mapping[str, str], at: datetime.datetime) -> str:
        """Run a line like cron; return its output, which is mailed to the user."""
        own = {**_CRONS_OWN, **self._machine, "LOGNAME": settings["MAILTO"]}
        environment = {**own, **settings, **self._clock.set(at)}
        with subprocess.Popen(
            [*self._enter, settings["SHELL"], "-c", job.command],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd=self._machine["HOME"],
            text=True,
        ) as process:
            self._strike()
            text, _ = process.communicate()
        self._clock.date_files(self._changing)
        return self._shown(text)

    def _shown(self, text: str) -> str:
        return text.replace(str(self._root), "")

    def _newly_told(self) -> list[dict[str, Any]]:
        """Return what the plugin got since the last call; check that the program got the same."""
        told, documents = (
            [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
            for path in (self._root / "plugins/night_watch.told", self._root / "bin/on-finish.told")
        )
        assert documents == [{"schema": "csf-backup/finished/1", **one} for one in told]
        new, self._told = told[self._told :], len(told)
        return new

    def osbackup_fails(self, name: str) -> Iterator[None]:
        """Let every osbackup fail that night."""
        self._sim.fault("osbackup", "exit", "3", always=True)
        yield
        self._sim.faults.clear()
        yield

    def disk_is_full(self, name: str) -> Iterator[None]:
        """Fill one of the disks with something else."""
        fill(disk := self._inside / name / DISKS[0])
        yield
        yield
        empty(disk)

    def disk_is_away(self, name: str) -> Iterator[None]:
        """Unmount one of the disks."""
        at = self._top(name, DISKS[0])
        (away := self._root / name / "away").mkdir()
        self._mount(at, str(away))
        yield
        yield
        self._mount(str(away), at)
        away.rmdir()

    def _mount(self, old: str, new: str) -> None:
        # Only root may write the table of mounts, which -n leaves alone.
        subprocess.run([*self._enter, "mount", "-n", "--move", old, new], check=True)

    def clock_is_ahead(self, name: str) -> Iterator[None]:
        """Set the machine's clock a year ahead while the rotation runs."""
        self._ahead = _YEAR
        yield
        self._ahead = datetime.timedelta()
        yield

    def csf_is_killed(self, name: str) -> Iterator[None]:
        """Kill csf, and let osbackup run to its end."""
        yield from self._killed("slow", "500k/s", lambda: wait_for_osbackup(self._images(name)))

    def both_are_killed(self, name: str) -> Iterator[None]:
        """Kill csf and osbackup."""
        yield from self._killed("hang", "", lambda: kill_osbackup(self._images(name)))

    def _killed(self, kind: str, value: str, then: Callable[[], None]) -> Iterator[None]:
        def strike() -> None:
            wait_for(lambda: not self._sim.faults.unstruck())  # osbackup is running
            last = (Path(self._sim.home.path) / "state" / "attempts.jsonl").read_text()
            os.kill(json.loads(last.splitlines()[-1])["pid"], signal.SIGKILL)
            then()

        self._sim.fault("osbackup", kind, value)
        self._strike = strike
        yield
        self._strike = _nothing
        self._sim.faults.clear()
        yield

    def image_is_damaged(self, name: str) -> Iterator[None]:
        """Flip a bit of the newest image after its proof."""
        yield
        newest = max(self._images(name).rglob("*.img"), key=os.path.getmtime)
        with newest.open("r+b") as file:
            file.seek(newest.stat().st_size // 2)
            (byte,) = file.read(1)
            file.seek(-1, os.SEEK_CUR)
            file.write(bytes([byte ^ 1]))
        yield

    def database_is_corrupt(self, name: str) -> Iterator[None]:
        """Make a database corrupt before its backup; repair it in the evening."""
        database = Path(self._master(name)).with_name("Class1.db")
        sound = database.read_bytes()
        database.write_bytes(sound[:700] + b"\xff" * 20 + sound[720:])
        yield
        yield
        database.write_bytes(sound)

    def database_is_missing(self, name: str) -> Iterator[None]:
        """Remove a database that the manifest lists; restore it in the evening."""
        database = Path(self._master(name)).with_name("Class1.db")
        database.rename(away := self._root / "away.db")
        yield
        yield
        away.rename(database)

    def _images(self, name: str) -> Path:
        """Return a directory whose places are those of both disks."""
        return self._inside / name
