"""A repository whose backups succeed for nine nights, and then fail in different ways.

The real commands run under a faked clock; the images are on a small disk.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from osbackup_at_work import kill_osbackup
from small_disks import empty, entering, fill
from waiting import wait_for

from csf_simulator.repository import repository

if TYPE_CHECKING:
    import datetime
    from collections.abc import Sequence

    from faked_clock import FakedClock

    from csf_simulator.simulator import Result, Simulator

FORMS = ("text", "json", "nagios", "prometheus")
_CLASS = 1_000_000  # bytes of each database of a class: more than what a backup leaves free


class Told(NamedTuple):
    """What a status has said in one format.

    Attributes:
        code: the exit code.
        text: what stood on standard output.
    """

    code: int
    text: str


class Fortnight:
    """The site.

    Args:
        sim: the simulator it lives in.
        clock: what all commands see.
        root: what is to be left out of the names of files, for who reads them.
        disk: the process in whose mount namespace the images' disk is.
    """

    def __init__(
        self, sim: Simulator, clock: FakedClock, root: Path, disk: subprocess.Popen[str]
    ) -> None:
        self._sim = sim
        self._clock = clock
        self._root = root
        self._enter = entering(disk)
        self._images = Path(f"/proc/{disk.pid}/root{root}/backups")
        master = str(root / "databases" / "lib.db")
        repository.create(sim.home.server, master, classes=2, size=_CLASS)
        (root / "scratch").mkdir()
        of, on = ("-database", master), ("-image-dir", f"localhost:{root}/backups")
        kept = ("-keep-dated", "4", "-keep-monthly", "12", "-every", "24h")
        drill = ("-drill-every", "7d", "-scratch-dir", str(root / "scratch"))
        self._rotate = ["csf", "admin_database_rotate", *of, *on, *kept, *drill]
        named = ("-database", f"localhost:{master}")
        self._status = ["csf", "admin_database_status", *on, *named]

    def night(self, at: datetime.datetime) -> int:
        """Run the rotation of a night; return its exit code."""
        return self._run(at, self._rotate).exit_code

    def let_osbackup_fail(self) -> None:
        """Let every osbackup fail, until one is killed."""
        self._sim.fault("osbackup", "exit", "3", always=True)

    def killed_night(self, at: datetime.datetime) -> int:
        """Kill the rotation of a night and its osbackup; return csf's exit code."""
        self._sim.faults.clear()
        self._sim.fault("osbackup", "hang")
        environment = {**self._sim.home.environment(os.environ), **self._clock.set(at)}
        with subprocess.Popen(
            [*self._enter, *self._rotate],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        ) as process:
            try:
                wait_for(lambda: not self._sim.faults.unstruck())  # osbackup is running
            finally:
                process.kill()
        kill_osbackup(self._images)
        self._date_files()
        return process.returncode

    def status(self, at: datetime.datetime, forms: Sequence[str] = FORMS) -> dict[str, Told]:
        """Return the output of a status at a time, by format."""
        ended = {form: self._run(at, [*self._status, "-format", form]) for form in forms}
        return {form: Told(one.exit_code, self._shown(one.stdout)) for form, one in ended.items()}

    def fill_disk(self) -> None:
        """Fill the images' disk with something else."""
        fill(self._images)

    def empty_disk(self) -> None:
        """Remove that again."""
        empty(self._images)

    def _run(self, at: datetime.datetime, command: list[str]) -> Result:
        ended = self._sim.run([*self._enter, *command], env=self._clock.set(at))
        self._date_files()
        return ended

    def _date_files(self) -> None:
        self._clock.date_files([str(self._images), *map(str, self._root.iterdir())])

    def _shown(self, text: str) -> str:
        return text.replace(str(self._root), "")
