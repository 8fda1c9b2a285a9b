"""The commands on another host, beside one login there, and on this one.

The host is a sshd of its own on the loopback; `far`, behind a proxy with a round trip of 100 ms;
`heavy`, with a `.bashrc` that burns 0.1 s of CPU. The repository is tiny: what counts is the way.
"""

from __future__ import annotations

import contextlib
import os
import shlex
import subprocess
from typing import TYPE_CHECKING

from benchmarks.bench import Bench, bench
from benchmarks.table import Table
from benchmarks.timing import Case, alternate
from proxy import Proxy
from sshd import Sshd

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.sizes import Sizes

_ONE_WAY = 0.05  # seconds
_BURN = 0.1  # seconds of CPU of a heavy .bashrc
_LOOP = "i=0; while [ $i -lt {} ]; do i=$((i + 1)); done\n"
_LOGIN = "ssh host true"


def tables(sizes: Sizes) -> Iterator[Table]:
    """Measure each way to a host."""
    for network in sizes.networks:
        with bench(3) as site, _reached(site, network) as ssh:
            environment = {**site.environment, "CSF_BACKUP_SSH": ssh}
            cases = [Case(_LOGIN, [*shlex.split(ssh), "remote", "true"]), *_cases(site)]
            costs = alternate(cases, sizes.rounds, environment)
        yield Table(f"another host, {network}", cases, costs)


def _cases(site: Bench) -> Iterator[Case]:
    for host in ("remote", "localhost"):
        image, database = f"{host}/image", ("-database", site.master)
        empty, beside = site.emptied(host), _LOGIN if host == "remote" else ""
        commands = {
            "backup": site.csf("backup", image, *database, host=host),
            "verify": site.csf("verify", image, host=host),
            "drill": site.csf("drill", image, "-scratch-dir", str(site.root), host=host),
            "restore": site.csf("restore", image, *database, "-yes", host=host),
            "manifest": ["csf", "admin_database_manifest", *database, "-host", host],
            "verify latest": site.csf("verify", f"{host}/latest", host=host),
        }
        for name, argv in commands.items():
            case = Case(f"csf {name}, {host}", argv, beside)
            yield case._replace(prepare=empty) if name == "backup" else case


@contextlib.contextmanager
def _reached(site: Bench, network: str) -> Iterator[str]:
    """Run a server while the block runs; yield the ssh that leads to it as `remote`."""
    (site.root / "sshd").mkdir()
    home = {name: site.environment[name] for name in ("PATH", "CSF_SIM_HOME")}
    server = Sshd(site.root / "sshd", {"HOME": str(site.root), **home})
    if network == "heavy":
        (site.root / ".bashrc").write_text(_heavy())
    server.start()
    try:
        with Proxy(server.port, _ONE_WAY) as proxy:
            yield server.behind(proxy) if network == "far" else server.command
    finally:
        server.stop()


def _heavy() -> str:
    """Return a `.bashrc` that burns some CPU on this machine."""
    tried = 100_000
    before = os.times()
    subprocess.run(["bash", "-c", _LOOP.format(tried)], check=True)
    after = os.times()
    return _LOOP.format(round(tried * _BURN / (after.children_user - before.children_user)))
