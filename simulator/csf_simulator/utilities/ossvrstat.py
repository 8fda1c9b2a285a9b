"""The simulated ossvrstat: lists the clients of the Server.

Only `-clients` is there. That it says "no active clients" is known from an installation; how it
names clients is invented here. The writers of a workload are clients; other programs come and go.
"""

from __future__ import annotations

import sys

from csf_simulator.home import Home, require_home
from csf_simulator.program.arguments import Option, parse
from csf_simulator.program.errors import UsageError
from csf_simulator.program.start import occupy_standard_descriptors, restore_signals
from csf_simulator.program.streams import say
from csf_simulator.utilities.command import run_utility

USAGE = "usage: ossvrstat -clients hostname"


def main() -> None:
    """Run as a program."""
    restore_signals()
    occupy_standard_descriptors()
    sys.exit(run(sys.argv[1:]))


def run(argv: list[str]) -> int:
    """Run with the arguments given, and return the exit status: 0, or 1 for a failure."""
    return run_utility(_tell, USAGE, argv)


def _tell(argv: list[str]) -> None:
    """Print a line for each client of the only Server."""
    arguments = parse((Option("-clients"),), argv)
    if not arguments.has("-clients") or len(arguments.operands) != 1:
        raise UsageError("give -clients and one host")
    clients = Home(require_home()).server.clients()
    for number, process in enumerate(clients, 1):
        say(f"client #{number}: process {process}")
    if not clients:
        say("no active clients")
