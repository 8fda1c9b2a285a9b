"""What the commands cost on another host, beside plain logins there and the same commands here.

``python tests/benchmarks/remote_cost.py``, with a sshd of its own on the loopback. For each network
and login shell (`quiet`; `far`, behind a proxy with 100 ms round trip; `heavy`, a `.bashrc` that
burns 0.1 s of CPU) there is a table: ssh sessions, logins, and medians of the wall time in ms.
``-cpu 20`` measures how much CPU the host spends while an osbackup of 20 s runs.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(0, os.path.join(os.path.dirname(__file__), os.pardir))

from proxy import Proxy
from receipts import receipt_of
from sshd import Sshd

from csf_backup_plugin.image import receipt_format
from csf_backup_plugin.image.path import ImagePath
from csf_simulator.simulator import Simulator

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

RECEIPTS = 366
ONE_WAY = 0.05  # seconds
CONDITIONS = ("quiet", "far", "heavy")
BURN = 0.1  # seconds of CPU of a heavy .bashrc
LOOP = "i=0; while [ $i -lt {} ]; do i=$((i + 1)); done\n"
PART_OF_A_MINUTE = 60

SLOW = """#!/bin/sh
sleep {seconds}
exec {real} "$@"
"""
# Runs a server, and adopts what its sessions leave; in the end all of it has been waited for.
METER = """
import ctypes, os, resource, signal, sys
ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)
server = os.fork()
if not server:
    os.execv(sys.argv[2], sys.argv[2:])
signal.signal(signal.SIGTERM, lambda *_: os.kill(server, signal.SIGTERM))
while True:
    try:
        os.wait()
    except ChildProcessError:
        break
used = resource.getrusage(resource.RUSAGE_CHILDREN)
with open(sys.argv[1], "w") as file:
    file.write(str(used.ru_utime + used.ru_stime))
"""


class Bench:
    """A simulated site on another host.

    Args:
        root: an empty directory.
        sim: the simulator.
        condition: one of `CONDITIONS`.
        below: what runs the server.
    """

    def __init__(
        self, root: Path, sim: Simulator, condition: str, below: Sequence[str] = ()
    ) -> None:
        self.root = root
        self.sim = sim
        self.master = sim.repository(classes=3)
        (root / "sshd").mkdir()
        simulated = sim.home.environment(os.environ)
        home = {name: simulated[name] for name in ("PATH", "CSF_SIM_HOME")}
        self.server = Sshd(root / "sshd", {"HOME": str(root), **home}, below=below)
        if condition == "heavy":
            (root / ".bashrc").write_text(heavy())
        self.delay = ONE_WAY if condition == "far" else 0.0

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        """Let it be reached while the block runs."""
        self.server.start()
        try:
            with Proxy(self.server.port, self.delay) as proxy:
                self.ssh = self.server.behind(proxy) if self.delay else self.server.command
                yield
        finally:
            self.server.stop()

    def run(self, argv: Sequence[str], **variables: str) -> tuple[float, int, int]:
        """Run a command; return its milliseconds, sessions and logins."""
        environment = {**self.sim.home.environment(os.environ), "CSF_BACKUP_SSH": self.ssh}
        before = self.server.sessions(), self.server.logins()
        began = time.perf_counter()
        ended = subprocess.run(
            argv, check=False, capture_output=True, text=True, env={**environment, **variables}
        )
        took = (time.perf_counter() - began) * 1000
        assert ended.returncode == 0, (argv, ended.stderr)
        return took, self.server.sessions() - before[0], self.server.logins() - before[1]

    def commands(self, host: str, number: int) -> dict[str, list[str]]:
        """Return the command lines of a round, on a host."""
        image = ("-image-file", f"{host}:{self.root / f'{host}{number}'}")
        latest = ("-image-file", f"{host}:{self.root / host}/latest")
        database = ("-database", self.master)
        return {
            "backup": ["csf", "admin_database_backup", *database, *image],
            "verify": ["csf", "admin_database_verify", *image],
            "drill": ["csf", "admin_database_drill", *image, "-scratch-dir", str(self.root)],
            "restore": ["csf", "admin_database_restore", *database, *image, "-yes"],
            "manifest": ["csf", "admin_database_manifest", *database, "-host", host],
            "verify latest": ["csf", "admin_database_verify", *latest],
            "restore latest": ["csf", "admin_database_restore", *database, *latest, "-yes"],
        }

    def fill(self, host: str) -> None:
        """Make a directory of a year's images, links to one of them, with receipts of their own."""
        directory = self.root / host
        directory.mkdir()
        made = str(directory / "made")
        image = ("-image-file", f"localhost:{made}")
        self.run(["csf", "admin_database_backup", "-database", self.master, *image])
        receipt = receipt_format.decode(Path(f"{made}.receipt.json").read_bytes())
        for number in range(1, RECEIPTS + 1):
            path = str(directory / f"{number:03}.img")
            for suffix in ("", ".dbn"):
                os.link(made + suffix, path + suffix)
            origin = receipt.origin._replace(number=number)
            one = receipt._replace(origin=origin, image=ImagePath(receipt.image.host, path))
            Path(f"{path}.receipt.json").write_bytes(receipt_of(one))
        for suffix in ("", ".dbn", ".receipt.json"):
            os.unlink(made + suffix)


def heavy() -> str:
    """Return a `.bashrc` that burns some CPU on this machine."""
    tried = 100_000
    before = os.times()
    subprocess.run(["bash", "-c", LOOP.format(tried)], check=True)
    after = os.times()
    return LOOP.format(round(tried * BURN / (after.children_user - before.children_user)))


@contextlib.contextmanager
def bench(condition: str, below: Sequence[str] = ()) -> Iterator[Bench]:
    """Have a bench while the block runs."""
    with tempfile.TemporaryDirectory() as name, Simulator() as sim:
        made = Bench(Path(name), sim, condition, below)
        with made.running():
            yield made


def measure(condition: str, rounds: int) -> None:
    """Print the table of a condition."""
    costs: dict[str, list[tuple[float, int, int]]] = {}
    with bench(condition) as site:
        login = f"{site.ssh} remote true"
        plain = {
            "ssh HOST true": ["sh", "-c", login],
            "three of them": ["sh", "-c", f"{login} && {login} && {login}"],
            "csf -help": ["csf", "-help"],
        }
        for host in ("remote", "localhost"):
            site.fill(host)
        for number in range(rounds):
            for what, argv in plain.items():
                costs.setdefault(what, []).append(site.run(argv))
            for host in ("remote", "localhost"):
                for what, argv in site.commands(host, number).items():
                    costs.setdefault(f"{what} {host}", []).append(site.run(argv))
    print(f"\n{condition}, n = {rounds}")
    print(f"{'':16}{'sessions':>9}{'logins':>7}{'ms':>8}{'/ one':>7}{'/ three':>8}{'local':>8}")
    one, three = (median(costs[what]) for what in plain if what.startswith(("ssh", "three")))
    for what, cost in costs.items():
        if what.endswith(" localhost"):
            continue
        name = what.removesuffix(" remote")
        here = costs.get(f"{name} localhost")
        local = f"{median(here):8.0f}" if here else ""
        sessions, logins = (statistics.median(each[at] for each in cost) for at in (1, 2))
        took = median(cost)
        print(
            f"{name:16}{sessions:9.0f}{logins:7.0f}{took:8.0f}{took / one:7.2f}"
            f"{took / three:8.2f}{local}",
            flush=True,
        )


def median(costs: list[tuple[float, int, int]]) -> float:
    """Return the median of the milliseconds."""
    return statistics.median(cost[0] for cost in costs)


def cpu(condition: str, seconds: float) -> float:
    """Return the CPU seconds of a backup on the host, sshd and utilities included."""
    with tempfile.NamedTemporaryFile() as report:
        with bench(condition, [sys.executable, "-c", METER, report.name]) as site:
            program = site.root / "osbackup"
            real = os.path.join(site.sim.home.bin, "osbackup")
            program.write_text(SLOW.format(seconds=seconds, real=real))
            program.chmod(0o755)
            argv = site.commands("remote", 0)["backup"]
            site.run(argv, CSF_BACKUP_OSBACKUP=str(program))
        return float(Path(report.name).read_text())


def main() -> None:
    """Measure, and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-n", type=int, default=5, help="rounds of which medians are taken")
    parser.add_argument(
        "-cpu", type=float, default=0, help="seconds of an osbackup whose CPU counts"
    )
    parser.add_argument("conditions", nargs="*", default=CONDITIONS, metavar="|".join(CONDITIONS))
    options = parser.parse_args()
    for condition in options.conditions:
        if options.n:
            measure(condition, options.n)
        if options.cpu:
            short, long = (cpu(condition, seconds) for seconds in (0, options.cpu))
            minute = (long - short) / options.cpu * PART_OF_A_MINUTE
            print(
                f"{condition}, CPU on the host: {short:.2f} s with an osbackup of 0 s, "
                f"{long:.2f} s with one of {options.cpu:.0f} s: {minute:.2f} s a minute",
                flush=True,
            )


if __name__ == "__main__":
    main()
