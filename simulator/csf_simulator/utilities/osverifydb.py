"""The simulated osverifydb: looks for damage in one database.

The ObjectStore 6.0 manual documents its first line, and that a block for each fault follows; that
of a reference that leads nowhere begins as documented. The rest of a block is invented here; so is
what counts as a fault, as the format of databases is.
"""

from __future__ import annotations

import os
import sys

from csf_simulator.database.examination import examine
from csf_simulator.home import Home, require_home
from csf_simulator.program.arguments import parse
from csf_simulator.program.errors import INCONSISTENT_DB, UsageError, UtilityError
from csf_simulator.program.start import occupy_standard_descriptors, restore_signals
from csf_simulator.program.streams import say
from csf_simulator.repository.references import dangling
from csf_simulator.utilities.command import run_utility
from csf_simulator.utilities.pathnames import local_path

USAGE = "usage: osverifydb pathname"


def main() -> None:
    """Run as a program."""
    restore_signals()
    occupy_standard_descriptors()
    sys.exit(run(sys.argv[1:]))


def run(argv: list[str]) -> int:
    """Run with the arguments given, and return the exit status: 0, or 1 for a fault or failure."""
    return run_utility(_verify, USAGE, argv)


def _verify(argv: list[str]) -> None:
    """Verify one database and print its faults."""
    operands = parse((), argv).operands
    if len(operands) != 1:
        raise UsageError("name one database")
    (name,) = operands
    say(f"Verifying database {name}")
    faults = _faults(local_path(name))
    for number, fault in enumerate(faults, 1):
        say(f"\nFault #{number} in database {name}:\n    {fault}")
    if faults:
        raise UtilityError(f"{name}: faults were found", INCONSISTENT_DB)


def _faults(path: str) -> list[str]:
    """Return what is wrong with a database at an instant between transactions.

    Raises:
        OSError: it cannot be opened, or is being restored.
    """
    with Home(require_home()).server.between_transactions() as pause:
        pause.require_usable(path)
        os.close(os.open(path, os.O_RDONLY))
        examination = examine(path)
        references = [
            f"Pointer to deleted storage: {fault}" for fault in dangling(path, examination)
        ]
        return [*examination.faults, *references]
