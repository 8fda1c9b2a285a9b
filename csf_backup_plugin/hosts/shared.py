"""What both adapters hold to."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

#: Bytes of the largest file that is taken into memory; ours are far smaller.
LARGEST = 1 << 26

#: Where a machine-id(5) is looked for, and how many bytes of it are read.
MACHINE_IDS = ("/etc/machine-id", "/var/lib/dbus/machine-id")
MACHINE_ID_SIZE = 100


def machine_id(contents: Iterable[bytes]) -> str:
    """Return the first machine-id(5) there is in the contents of files, or an empty string.

    Until a machine has started for the first time its file may be empty, or say so.
    """
    ids = (data.decode("ascii", "replace").strip() for data in contents)
    return next((one for one in ids if one not in ("", "uninitialized")), "")
