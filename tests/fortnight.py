"""A repository whose backups go well for nine nights, and then fail in one way after another.

The real commands run under a faked clock; the images are on a small disk of their own.
"""

from __future__ import annotations

import contextlib
import datetime
import os
import signal
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from waiting import wait_for

from csf_simulator.repository import repository

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from faked_clock import FakedClock

    from csf_simulator.simulator import Result, Simulator

FORMS = ("text", "json", "nagios", "prometheus")
_CLASS = 1_000_000  # bytes of each database of a class: more than what a backup leaves free
_DISK = "40m"
_MOUNT = 'mount -t tmpfs -o size="$1" none "$0" && echo ready && read -r _'


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
        self._enter = ["nsenter", "--preserve-credentials", "-U", "-m", "-t", str(disk.pid), "--"]
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
        """Let the rotation of a night, and its osbackup, be killed; return csf's exit code."""
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
                wait_for(lambda: not self._sim.faults.unstruck())  # osbackup is at work
            finally:
                process.kill()
        with contextlib.suppress(ProcessLookupError):
            os.killpg(int(self._record("pid").split()[0]), signal.SIGKILL)
        wait_for(lambda: self._record("status") != "running")
        self._date_files()
        return process.returncode

    def _record(self, name: str) -> str:
        """Return what is on record of the osbackup that runs; nothing if there is none yet."""
        (text,) = [path.read_text() for path in self._images.glob(f"*/*.run/{name}")] or [""]
        return text.strip()

    def status(self, at: datetime.datetime, forms: Sequence[str] = FORMS) -> dict[str, Told]:
        """Return what a status says at a time, by format."""
        ended = {form: self._run(at, [*self._status, "-format", form]) for form in forms}
        return {form: Told(one.exit_code, self._shown(one.stdout)) for form, one in ended.items()}

    def fill_disk(self) -> None:
        """Let something else take all room on the images' disk."""
        with contextlib.suppress(OSError), open(self._images / "core", "wb", buffering=0) as file:
            while True:
                file.write(bytes(4096))

    def empty_disk(self) -> None:
        """Let that go again."""
        (self._images / "core").unlink()

    def _run(self, at: datetime.datetime, command: list[str]) -> Result:
        ended = self._sim.run([*self._enter, *command], env=self._clock.set(at))
        self._date_files()
        return ended

    def _date_files(self) -> None:
        self._clock.date_files([str(self._images), *map(str, self._root.iterdir())])

    def _shown(self, text: str) -> str:
        return text.replace(str(self._root), "")


@contextlib.contextmanager
def small_disk(namespace: list[str], path: Path) -> Iterator[subprocess.Popen[str]]:
    """Mount a small disk while the block runs; return the process that alone sees it.

    Args:
        namespace: runs a script in a mount namespace of its own.
        path: where the disk is; the process ends with its standard input.
    """
    path.mkdir()
    with subprocess.Popen(
        [*namespace, _MOUNT, str(path), _DISK],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout
        assert process.stdout.readline() == "ready\n"
        yield process
