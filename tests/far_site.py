"""A simulated site on another host, behind a network that fails, and its processes.

Everything is observed from outside: command lines, files, and processes.
"""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import time
from typing import TYPE_CHECKING, NamedTuple

from cards import besides_cards
from conftest import served
from proxy import Proxy
from waiting import wait_for

from csf_simulator.simulator import Simulator
from sites import Site

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from proxy import Strike
    from sshd import Sshd

#: The most that a command may take, in seconds, whatever happens to it.
LONGEST = 100.0
#: How long anything of ours may run on the host after csf has ended, in seconds.
LINGERING = 60.0
#: The longest pause that is not waited for, in seconds.
PAUSE = 25
#: Makes ssh notice within 3 s that nobody answers; a user may set the same.
HASTY = "-o ServerAliveInterval=1 -o ServerAliveCountMax=2"

_MARK = "CSF_TEST_HOST"
_NOTHING = "Nothing was created or changed."
_NOTING = """#!/bin/sh
[ "$1" = -t ] && exec {real} "$@"
echo started >> {starts}
sleep {seconds}
exec {real} "$@"
"""


class Ended(NamedTuple):
    """How a command has ended.

    Attributes:
        status: its exit status; negative for a signal.
        said: what it printed.
    """

    status: int
    said: str


class FarSite(Site):
    """A site on host `remote`, whose osbackup and osrestore note their starts.

    Args:
        sim: the simulator.
        root: where images and notes are.
        server: by which the host is reached.
        proxy: what stands before the server.
    """

    def __init__(self, sim: Simulator, root: Path, server: Sshd, proxy: Proxy) -> None:
        super().__init__(sim, root, "remote")
        self.root = root
        self.server = server
        self.proxy = proxy
        self.process: subprocess.Popen[bytes] | None = None
        self._starts = root / "starts"
        self.variables = {"CSF_BACKUP_SSH": f"{server.behind(proxy)} {HASTY}"}
        for name in ("osbackup", "osrestore"):
            self.variables[f"CSF_BACKUP_{name.upper()}"] = self.noting(name, 0.5)

    def noting(self, name: str, seconds: float) -> str:
        """Return a utility that notes its start, and takes some more time."""
        program = self.root / f"noting-{name}"
        real = os.path.join(self.sim.home.bin, name)
        program.write_text(_NOTING.format(starts=self._starts, seconds=seconds, real=real))
        program.chmod(0o755)
        return str(program)

    def starts(self) -> int:
        """Return how often osbackup or osrestore was started."""
        return self._starts.read_text().count("started") if self._starts.exists() else 0

    def struck(self, command: Sequence[str], strike: Strike, *, at_work: bool = False) -> Ended:
        """Run a command through the proxy, and strike; return how it ended.

        Args:
            command: its words.
            strike: what is to happen.
            at_work: strike when osbackup or osrestore has begun its work, if not before.
        """
        environment = {**self.sim.home.environment(os.environ), **self.variables}
        self.proxy.arm(strike)
        with open(self.root / "said", "w+b") as said:
            self.process = subprocess.Popen(
                command, env=environment, stdin=subprocess.DEVNULL, stdout=said, stderr=said
            )
            try:
                while at_work and not self.starts() and self.process.poll() is None:
                    time.sleep(0.01)
                if at_work:
                    self.proxy.strike_now()
                status = self.process.wait(LONGEST)
            finally:
                self.process.kill()
                self.process.wait()
            said.seek(0)
            return Ended(status, said.read().decode(errors="surrogateescape"))

    def kill_csf(self) -> None:
        """Kill the command that runs."""
        assert self.process is not None
        self.process.kill()

    def login_shells(self) -> list[int]:
        """Return the processes that sshd has started on the host."""
        return [pid for pid in self.processes() if _stat(_parent(pid), "comm").startswith("sshd")]

    def processes(self) -> list[int]:
        """Return the processes of all sessions on the host, and of all that these have left."""
        mark = f"{_MARK}={self.root}\0".encode()
        found = []
        for name in filter(str.isdecimal, os.listdir("/proc")):
            with contextlib.suppress(OSError), open(f"/proc/{name}/environ", "rb") as file:
                if mark in file.read():
                    found.append(int(name))
        return found

    def clients(self) -> list[int]:
        """Return the processes of ssh that reach the host, on the machine of csf."""
        config = str(self.server.directory / "ssh_config")
        pids = [int(name) for name in os.listdir("/proc") if name.isdecimal()]
        return [pid for pid in pids if config in _stat(pid, "cmdline").split()]

    def end(self) -> None:
        """Kill all processes that still run on the host."""
        self.server.cut()
        while left := self.processes():
            signalled(left, signal.SIGKILL)

    def check_settled(self) -> None:
        """Check that soon nothing runs on either machine, and that the repository's lock is free.

        A pause whose shell is gone ends by itself in time, and is not waited for.
        """
        until = time.monotonic() + LINGERING
        while left := [
            pid for pid in (*self.processes(), *self.clients()) if not _is_short_pause(pid)
        ]:
            assert time.monotonic() < until, [_stat(pid, "cmdline") for pid in left]
            time.sleep(0.05)
        lock = f"{self.master}.lock"
        if os.path.exists(lock):  # a process that ends loses its memory first, and then its files
            wait_for(lambda: subprocess.run(["flock", "-n", lock, "true"]).returncode == 0)

    def check_backup(self, ended: Ended, *codes: int) -> None:
        """Check that a struck backup is proven, or that its message names all it has left.

        Args:
            ended: how it ended.
            codes: exit codes that it may have, besides those of a host that fails.
        """
        names = {os.path.join(self.images, name) for name in besides_cards(self.images)}
        assert self.starts() <= 1, ended.said
        if ended.status == 0:
            assert self.starts() == 1
            ours = {self.image, f"{self.image}.dbn", f"{self.image}.receipt.json"}
            assert names == ours, ended.said
            self.check_image()
        else:
            assert ended.status in (30, 31, 40, 41, *codes), ended.said
            assert f"{self.image}.receipt.json" not in names, ended.said
            assert not (names and _NOTHING in ended.said), (names, ended.said)
            assert all(name in ended.said for name in names), (names, ended.said)

    def check_image(self) -> None:
        """Check on the host itself that the image is a backup like any other."""
        verify = ["csf", "admin_database_verify", "-image-file", f"localhost:{self.image}"]
        verified = self.sim.run(verify)
        assert verified.exit_code == 0, verified.stderr
        assert self.sim.check(self.restored(self.root / "scratch")) == []

    def check_next_backup(self) -> None:
        """Check that the next backup of the repository succeeds."""
        self.image = str(self.images / "next.img")
        result = self.backup()
        assert result.exit_code == 0, result.stderr


@contextlib.contextmanager
def far_site(
    root: Path, settings: str = "", below: Sequence[str] = (), **variables: str
) -> Iterator[FarSite]:
    """Yield a site on another host while the block runs.

    Args:
        root: an empty directory.
        settings: further lines of sshd_config(5).
        below: a command that runs the server.
        variables: what every session gets besides.
    """
    with (
        Simulator(str(root / "home")) as sim,
        served(root, sim, settings, below, **{_MARK: str(root)}, **variables) as server,
        Proxy(server.port) as proxy,
    ):
        site = FarSite(sim, root, server, proxy)
        try:
            yield site
        finally:
            site.end()


def signalled(pids: Sequence[int], signum: signal.Signals) -> None:
    """Send a signal to processes."""
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signum)


def _is_short_pause(pid: int) -> bool:
    program, _, seconds = _stat(pid, "cmdline").strip().partition(" ")
    return program == "sleep" and seconds.isdecimal() and int(seconds) <= PAUSE


def _parent(pid: int) -> int:
    found = re.search(r"\nPPid:\t(\d+)", _stat(pid, "status"))
    return int(found[1]) if found else 0


def _stat(pid: int, name: str) -> str:
    try:
        with open(f"/proc/{pid}/{name}", errors="surrogateescape") as file:
            return file.read().replace("\0", " ")
    except OSError:
        return ""
