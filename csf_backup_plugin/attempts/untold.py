"""Ends of attempts that were killed, which nobody has been told of yet.

Each has a file beside the attempts' locks, from before its end is in the ledger until somebody has
been told. A kill in between leaves the file: so they are told at least once.
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
    """Note on the disk that ends are to be told.

    Args:
        directory: of the ledger.
        ends: the line of each, by the attempt.

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


def untold(directory: str) -> Generator[Line, None, None]:
    """Yield each end that is to be told; it has been, when the next one is asked for.

    One that another process is telling now is left to that.

    Args:
        directory: of the ledger.

    Raises:
        OSError: they cannot be read.
    """
    locks = os.path.join(directory, LOCKS)
    for name in sorted(name for name in os.listdir(locks) if name.endswith(SUFFIX)):
        path = os.path.join(locks, name)
        # A line that was cut short is written again, before its attempt counts as ended.
        cut_short = contextlib.suppress(FileNotFoundError, UnreadableLine, NewerLine)
        with cut_short, own_file(path, os.O_RDWR) as descriptor:
            if take_lock(descriptor) and (status := os.fstat(descriptor)).st_nlink:
                yield decode(os.read(descriptor, status.st_size))
                os.unlink(path)
