"""What a tiny backup of another host costs beside plain logins there, side by side in one run.

``python tests/benchmarks/remote_cost.py``, with a sshd of its own on the loopback. Taken in turn:
``ssh HOST true`` three times, the backup of a repository of three classes on that host, and the
same backup on this one. Printed are medians, in milliseconds, and ratios to the three logins.
"""

from __future__ import annotations

import os
import shlex
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, os.path.join(os.path.dirname(__file__), os.pardir))

from sshd import Sshd

from csf_simulator.simulator import Simulator

ROUNDS = 11


def main() -> None:
    """Measure, and print a table."""
    with tempfile.TemporaryDirectory() as name, Simulator() as sim:
        root = Path(name)
        environment = {"HOME": name, **_simulated(sim)}
        (root / "sshd").mkdir()
        server = Sshd(root / "sshd", environment)
        server.start()
        times: dict[str, list[float]] = {}
        try:
            master = sim.repository(classes=3)
            for number in range(ROUNDS):
                for what, argv in _commands(server, master, root / str(number)).items():
                    began = time.perf_counter()
                    subprocess.run(
                        argv,
                        check=True,
                        capture_output=True,
                        env={**os.environ, **environment, "CSF_BACKUP_SSH": server.command},
                    )
                    times.setdefault(what, []).append((time.perf_counter() - began) * 1000)
        finally:
            server.stop()
        medians = {what: statistics.median(taken) for what, taken in times.items()}
        logins = next(iter(medians.values()))
        for what, median in medians.items():
            print(f"{what:32} {median:8.0f} ms {median / logins:6.2f}")


def _simulated(sim: Simulator) -> dict[str, str]:
    variables = sim.home.environment(os.environ)
    return {name: variables[name] for name in ("PATH", "CSF_SIM_HOME")}


def _commands(server: Sshd, master: str, image: Path) -> dict[str, list[str]]:
    login = f"{server.command} remote true"
    backup = ["csf", "admin_database_backup", "-database", master, "-image-file"]
    return {
        "three logins (ssh HOST true)": ["sh", "-c", f"{login} && {login} && {login}"],
        "a backup of that host": [*backup, f"remote:{image}"],
        "a backup of this host": [*backup, f"localhost:{image}.local"],
        "csf -help": shlex.split("csf -help"),
    }


if __name__ == "__main__":
    main()
