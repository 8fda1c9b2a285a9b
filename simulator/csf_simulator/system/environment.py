"""Which variables of the environment must not reach what the simulator starts.

They name programs and settings of real ones: a backup that was only tried out would run the real
osbackup, or wait for a real lock.
"""

from __future__ import annotations

from collections.abc import Mapping

_OBJECTSTORE = "OS_ROOTDIR"  # where it is set, a real ObjectStore is found before the PATH
_PREFIX = "CSF_BACKUP_"  # csf-backup-plugin's: CSF_BACKUP_OSBACKUP, CSF_BACKUP_SSH and so on


def is_foreign(name: str) -> bool:
    """Tell whether a variable must not reach what the simulator starts."""
    return name == _OBJECTSTORE or name.startswith(_PREFIX)


def without_foreign(base: Mapping[str, str]) -> dict[str, str]:
    """Return an environment without the variables that must not reach what is started."""
    return {name: value for name, value in base.items() if not is_foreign(name)}


def foreign_names(base: Mapping[str, str]) -> list[str]:
    """Return the variables that a shell has to unset, sorted; OS_ROOTDIR even if it is not set.

    A name that no shell variable can have is left out: a shell does not pass it on.
    """
    found = {name for name in base if is_foreign(name) and name.isascii() and name.isidentifier()}
    return sorted({*found, _OBJECTSTORE})
