"""What the plugin adds to a class_create, with few classes and with many, in one run.

``python tests/benchmarks/class_create_cost.py``. Three times are taken in turn: csf's own part
alone (an implementation that makes one file), the same within the plugin's wrapper, and the
simulated csf's class_create as a command. Printed are medians, in milliseconds, and the ratio of
the plugin's own part to the one with the fewest classes.
"""

from __future__ import annotations

import os
import statistics
import tempfile
import time

import pluggy

from csf_backup_plugin import plugin
from csf_backup_plugin.repository import manifest
from csf_simulator.csf import hookspecs
from csf_simulator.simulator import Simulator

CLASSES = (10, 1_000, 20_000)
ROUNDS = 51
hookimpl = pluggy.HookimplMarker("csf")


class Own:
    """An implementation of class_create that makes one file."""

    @hookimpl
    def class_create(self, master_database: str, class_name: str) -> str:
        """Make the file."""
        path = os.path.join(os.path.dirname(master_database), f"{class_name}.db")
        with open(path, "wb") as file:
            os.fsync(file.fileno())
        return path


def main() -> None:
    """Measure, and print a table."""
    whole = _command()
    print(f"{'classes':>8} {'csf alone':>10} {'with plugin':>12} {'plugin':>8} {'ratio':>6}")
    first = 0.0
    for classes in CLASSES:
        alone, wrapped = _hooks(classes)
        first = first or wrapped - alone
        print(
            f"{classes:8,} {alone:8.2f} ms {wrapped:9.2f} ms {wrapped - alone:5.2f} ms "
            f"{(wrapped - alone) / first:6.2f}"
        )
    share = (wrapped - alone) / whole
    print(f"csf class_create, the whole command: {whole:.0f} ms; the plugin's part {share:.1%}")


def _hooks(classes: int) -> tuple[float, float]:
    """Return the medians without and with the plugin, in milliseconds."""
    with tempfile.TemporaryDirectory() as directory:
        names = ["lib.db", *(f"Class{number}.db" for number in range(classes))]
        for name in names:
            with open(os.path.join(directory, name), "w"):
                pass
        master = os.path.join(directory, "lib.db")
        with open(f"{master}.manifest", "wb") as file:
            file.write(manifest.encode(names))
        managers = [pluggy.PluginManager("csf") for _ in range(2)]
        for manager in managers:
            manager.add_hookspecs(hookspecs)
            manager.register(Own())
        managers[1].register(plugin)
        times: list[list[float]] = [[], []]
        for number in range(ROUNDS):
            for manager, taken in zip(managers, times, strict=True):
                began = time.perf_counter()
                name = f"New{number}of{len(manager.get_plugins())}"
                manager.hook.class_create(master_database=master, class_name=name)
                taken.append(_milliseconds_since(began))
    return statistics.median(times[0]), statistics.median(times[1])


def _command() -> float:
    """Return the median of the simulated csf's class_create, in milliseconds."""
    with Simulator() as sim:
        master = sim.repository(classes=10)
        times = []
        for number in range(11):
            began = time.perf_counter()
            sim.csf("class_create", "-database", master, "-class", f"New{number}")
            times.append(_milliseconds_since(began))
    return statistics.median(times)


def _milliseconds_since(began: float) -> float:
    return (time.perf_counter() - began) * 1000


if __name__ == "__main__":
    main()
