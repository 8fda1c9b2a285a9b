"""Limits, scripts and messages that both adapters share."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING

from csf_backup_plugin.errors import LockBusy
from csf_backup_plugin.names import shown

if TYPE_CHECKING:
    from collections.abc import Iterable

#: What an append adds to a last line without a newline before it ends that line; no name has a tab.
CUT_SHORT = b"\t[cut short]"

#: Errors of a file system that has no flock(2), such as NFS without lockd, and some of FUSE.
NO_FLOCK = (errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS)

#: Bytes of the largest file that is taken into memory; ours are far smaller.
LARGEST = 1 << 26

#: Bytes that a program may print on a stream: 20,000 databases whose names are as long as Linux
#: allows, each with a host's name before it and a size after it, are 90 MB.
OUTPUT = 100_000_000
#: The same limit for each of many runs of a program, with both streams merged: 250,000 lines.
OUTPUT_OF_EACH = 1 << 24
#: How many of the last bytes of a utility's output are shown.
LAST_SAID = 1 << 20

#: Default of the seconds within which a utility must begin.
BEGINNING = 60.0

#: Seconds to wait for a file that is to be read while another command is about to withdraw it.
WITHDRAWAL = 10.0

#: A script for any POSIX shell that copies what a utility prints: at most 32 MiB at once, since
#: dd(1) holds nothing back, and after its end at most 64 KiB of the rest. A utility that lost its
#: reader would end.
KEEP = "trap '' HUP INT TERM; dd bs=512 count=65536 2>/dev/null; exec tail -c 65536"

#: A temporary file that is older than this many seconds, and not locked, was left by a csf that was
#: killed. A cut connection is given up long before.
ABANDONED = 3600

#: Why a file in such a directory as /tmp cannot be replaced or removed.
STICKY = "(its directory is sticky: only the file's owner, the directory's and root may do that)"

#: Where a machine-id(5) is looked for, and how many bytes of it are read.
MACHINE_IDS = ("/etc/machine-id", "/var/lib/dbus/machine-id")
MACHINE_ID_SIZE = 100

#: Why a file is not withdrawn, in words that follow its name.
BEING_READ, GONE, REPLACED = "is being read", "does not exist", "was replaced meanwhile"

_LAST_SIGNAL = 64  # SIGRTMAX of Linux
#: The last status that a shell has for what has ended by itself.
LAST_STATUS = 128


def foreign_lock(host: str) -> ValueError:
    """Return the refusal to let a utility of a host inherit a lock that is held elsewhere."""
    return ValueError(f"a utility on {host} cannot inherit the lock: it is held on another host")


def withdrawing(path: str, host: str) -> LockBusy:
    """Return the refusal to read a file that another command is about to withdraw."""
    return LockBusy(
        f"{shown(path)} on {host} is locked: another command is about to remove it.",
        "Wait until that command has ended, and run the same command again.",
    )


def kept(by: str) -> str:
    """Return why a file is not withdrawn: the file `by` says that it is to be kept."""
    return f"is to be kept, as {shown(by)} says"


def as_wait_status(status: int) -> int:
    """Convert a shell's exit status to the form that `Completed` has: -N for signal N."""
    return LAST_STATUS - status if LAST_STATUS < status <= LAST_STATUS + _LAST_SIGNAL else status


def machine_id(contents: Iterable[bytes]) -> str:
    """Return the first valid machine-id(5) in the contents of files, or an empty string.

    Before a machine has booted for the first time, its file may be empty, or hold a placeholder.
    """
    ids = (data.decode("ascii", "replace").strip() for data in contents)
    return next((one for one in ids if one not in ("", "uninitialized")), "")
