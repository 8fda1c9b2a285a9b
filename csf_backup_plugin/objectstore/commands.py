"""ObjectStore's utilities: how they are called and what they print."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from csf_backup_plugin.hosts.postponed import postponed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from csf_backup_plugin.hosts.protocol.host import Host

OSBACKUP = "osbackup"
OSRESTORE = "osrestore"
OSVERIFYDB = "osverifydb"
OSSVRSTAT = "ossvrstat"

#: The environment variable that names each utility. It is looked at before all other places.
VARIABLES = {
    OSBACKUP: "CSF_BACKUP_OSBACKUP",
    OSRESTORE: "CSF_BACKUP_OSRESTORE",
    OSVERIFYDB: "CSF_BACKUP_OSVERIFYDB",
    OSSVRSTAT: "CSF_BACKUP_OSSVRSTAT",
}

# What osverifydb prints about a fault, and the number of any error. A line that only names a
# database does not count, since a name may contain anything.
_FAULTS = re.compile(
    rb"pointer (?:to (?:nonpersistent|deleted) storage|type mismatch|location:)|<err-\d+-\d+>", re.I
)
_NOT_A_FAULT = (b"Verifying database ", b"Verifying segment ")


def finding(utility: str, host: Host) -> Callable[[], Callable[[], str]]:
    """Return a step for `Host.together` that finds a utility; its error is raised later.

    Args:
        utility: its name.
        host: where to look for it.
    """
    return postponed(lambda: host.find(utility, VARIABLES[utility]))


def osbackup(executable: str, import_file: str, image: str) -> list[str]:
    """Return the command that backs up every database that the import file names.

    All arguments are paths. With `-a` osbackup fails where it would otherwise wait for an operator.
    """
    return [executable, "-a", "-I", import_file, "-f", image]


def list_databases(executable: str, image: str) -> list[str]:
    """Return the command that prints the databases in the image and restores nothing."""
    return [executable, "-t", "-f", image]


def restore(executable: str, image: str, pairs: Sequence[tuple[str, str]] = ()) -> list[str]:
    """Return the command that restores the databases in the image.

    Args:
        executable: the path of osrestore.
        image: the image's path.
        pairs: pairs of directories or databases, each with the original and the new path; none to
            restore everything to its original path.
    """
    return [executable, "-f", image, *(path for pair in pairs for path in pair)]


def verify_database(executable: str) -> list[str]:
    """Return the command that checks a database's pointers; the database's name is to be added."""
    return [executable]


def list_clients(executable: str, machine: str) -> list[str]:
    """Return the command that prints the clients of the Server of a machine."""
    return [executable, "-clients", machine]


def faults(output: bytes) -> list[str]:
    """Return the lines in which osverifydb names a fault, whatever its exit status is."""
    lines = [line for line in output.splitlines() if not line.lstrip().startswith(_NOT_A_FAULT)]
    return [os.fsdecode(line.strip()) for line in lines if _FAULTS.search(line)]


def import_file(databases: Iterable[str]) -> bytes:
    """Return the contents of the import file: the databases' names, one per line."""
    return b"".join(os.fsencode(name) + b"\n" for name in databases)


def imported_databases(contents: bytes) -> list[str]:
    """Return the databases that an import file names, in their order; empty if it is incomplete."""
    *lines, rest = contents.split(b"\n")
    whole = not rest and all(line.startswith(b"/") for line in lines)
    return [os.fsdecode(line) for line in lines] if whole else []
