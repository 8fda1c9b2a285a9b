"""ObjectStore's utilities: how they are called and what they print."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from csf_backup_plugin.hosts.postponed import postponed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from csf_backup_plugin.hosts.protocol import Host

OSBACKUP = "osbackup"
OSRESTORE = "osrestore"
OSVERIFYDB = "osverifydb"
OSSVRSTAT = "ossvrstat"

#: The environment variable that names each utility, before any other place is looked at.
VARIABLES = {
    OSBACKUP: "CSF_BACKUP_OSBACKUP",
    OSRESTORE: "CSF_BACKUP_OSRESTORE",
    OSVERIFYDB: "CSF_BACKUP_OSVERIFYDB",
    OSSVRSTAT: "CSF_BACKUP_OSSVRSTAT",
}

# What osverifydb says of a fault, and the number of any error; a line about a database may say
# anything, since it has the database's name.
_FAULTS = re.compile(
    rb"pointer (?:to (?:nonpersistent|deleted) storage|type mismatch|location:)|<err-\d+-\d+>", re.I
)
_NOT_A_FAULT = (b"Verifying database ", b"Verifying segment ")


def finding(utility: str, host: Host) -> Callable[[], Callable[[], str]]:
    """Return a step for `Host.together` that finds a utility; that it is missing is told later.

    Args:
        utility: its name.
        host: where it is looked for.
    """
    return postponed(lambda: host.find(utility, VARIABLES[utility]))


def osbackup(executable: str, import_file: str, image: str) -> list[str]:
    """Return the command that backs up every database the import file names; paths, all of them.

    `-a` makes osbackup end with an error where it would otherwise wait for an operator.
    """
    return [executable, "-a", "-I", import_file, "-f", image]


def list_databases(executable: str, image: str) -> list[str]:
    """Return the command that prints the databases in the image and restores nothing."""
    return [executable, "-t", "-f", image]


def restore(executable: str, image: str, pairs: Sequence[tuple[str, str]] = ()) -> list[str]:
    """Return the command that restores the databases in the image.

    Args:
        executable: osrestore.
        image: the path of what to restore.
        pairs: of directories or databases: where each was, and where it is to be restored to; none
            to restore everything to where it was.
    """
    return [executable, "-f", image, *(path for pair in pairs for path in pair)]


def verify_database(executable: str) -> list[str]:
    """Return the command that checks a database's pointers, but for the database's name."""
    return [executable]


def list_clients(executable: str, machine: str) -> list[str]:
    """Return the command that prints who uses the Server of a machine."""
    return [executable, "-clients", machine]


def faults(output: bytes) -> list[str]:
    """Return the lines in which osverifydb names a fault, whatever its exit status is."""
    lines = [line for line in output.splitlines() if not line.lstrip().startswith(_NOT_A_FAULT)]
    return [os.fsdecode(line.strip()) for line in lines if _FAULTS.search(line)]


def import_file(databases: Iterable[str]) -> bytes:
    """Return the contents of the import file: the databases' names, one per line."""
    return b"".join(os.fsencode(name) + b"\n" for name in databases)


def imported_databases(contents: bytes) -> list[str]:
    """Return the databases an import file names, in their order; none if it is not whole."""
    *lines, rest = contents.split(b"\n")
    whole = not rest and all(line.startswith(b"/") for line in lines)
    return [os.fsdecode(line) for line in lines] if whole else []
