"""How long osbackup and osrestore take, beside cp and tar of the same database.

Run it by hand, on an idle machine: ``python tests/benchmarks/copy_speed.py --gib 4 --rounds 5``.
Every round runs each command once, in turn, so that a machine whose speed drifts slows all; the
page cache is warm. Printed are medians, and the medians of the ratios to cp of the same round.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import time
from collections.abc import Sequence

from csf_simulator.simulator import Simulator


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--gib", type=float, default=1.0)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    with Simulator() as sim:
        master = sim.repository(classes=1, size=int(arguments.gib * (1 << 30)))
        print_table(measure(sim, os.path.dirname(master), arguments.rounds))


def measure(sim: Simulator, repository: str, rounds: int) -> dict[str, list[tuple[float, int]]]:
    """Return seconds and peak memory in KiB of every command, round by round."""
    image, copy = os.path.join(sim.home.path, "image"), os.path.join(sim.home.path, "copy")
    commands = {
        "cp": ["cp", "-r", "--reflink=never", repository, copy],
        "tar": ["tar", "-cPf", copy, repository],
        "osbackup": ["osbackup", "-a", "-f", image, repository],
        "osrestore": ["osrestore", "-f", image, repository, copy],
    }
    environment = sim.home.environment(os.environ)
    results: dict[str, list[tuple[float, int]]] = {name: [] for name in commands}
    for _ in range(rounds):
        for name, command in commands.items():
            if name == "osrestore":
                os.mkdir(copy)
            results[name].append(timed(command, environment))
            if name != "osbackup":
                shutil.rmtree(copy) if os.path.isdir(copy) else os.unlink(copy)
        os.unlink(image)
    return results


def timed(command: Sequence[str], environment: dict[str, str]) -> tuple[float, int]:
    """Return how long a command took, in seconds, and its peak memory in KiB."""
    os.sync()
    began = time.monotonic()
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{command[0]} failed")
    return time.monotonic() - began, usage.ru_maxrss


def print_table(results: dict[str, list[tuple[float, int]]]) -> None:
    """Print a line for each command."""
    for name, runs in results.items():
        seconds = statistics.median(run[0] for run in runs)
        ratios = [run[0] / cp[0] for run, cp in zip(runs, results["cp"], strict=True)]
        memory = max(run[1] for run in runs) / 1024
        print(
            f"{name:10} {seconds:7.2f} s   {statistics.median(ratios):5.2f} x cp "
            f"({min(ratios):.2f}-{max(ratios):.2f})   {memory:6.1f} MiB"
        )


if __name__ == "__main__":
    main()
