"""Ends of killed attempts that were not reported yet to hooks and the user's program.

Each has a file beside the attempts' lock files. It is written before the end is in the ledger, and
removed after the end was reported. A kill in between leaves the file, so each end is reported at
least once.
"""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING

from csf_backup_plugin.attempts.files import own_file, sync_directory, take_lock
from csf_backup_plugin.attempts.ledger import LOCKS
from csf_backup_plugin.attempts.line import NewerLine, UnreadableLine, decode

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping

    from csf_backup_plugin.attempts.line import Line

SUFFIX = ".killed"


def mark(directory: str, ends: Mapping[str, bytes]) -> None:
    """Note on the disk that ends are to be reported.

    Args:
        directory: the ledger's directory.
        ends: the end line of each, by the attempt's id.

    Raises:
        OSError: that failed.
    """
    locks = os.path.join(directory, LOCKS)
    for attempt, line in ends.items():
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
        with own_file(os.path.join(locks, attempt + SUFFIX), flags) as descriptor:
            os.write(descriptor, line)
            os.fsync(descriptor)
    if ends:
        sync_directory(locks)


def unreported(directory: str) -> Generator[Line, None, None]:
    """Yield each end that is to be reported; it counts as reported once the next one is requested.

    An end that another process is reporting now is left to that process.

    Args:
        directory: the ledger's directory.

    Raises:
        OSError: they cannot be read.
    """
    locks = os.path.join(directory, LOCKS)
    for name in sorted(name for name in os.listdir(locks) if name.endswith(SUFFIX)):
        path = os.path.join(locks, name)
        # If the line was cut short, it will be written again before its attempt counts as ended.
        cut_short = contextlib.suppress(FileNotFoundError, UnreadableLine, NewerLine)
        with cut_short, own_file(path, os.O_RDWR) as descriptor:
            if take_lock(descriptor) and (status := os.fstat(descriptor)).st_nlink:
                yield decode(os.read(descriptor, status.st_size))
                os.unlink(path)
