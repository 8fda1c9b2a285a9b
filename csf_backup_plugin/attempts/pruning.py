"""Remove old lines from the ledger."""

from __future__ import annotations

import contextlib
import os
import time
from typing import TYPE_CHECKING

from csf_backup_plugin import timestamps
from csf_backup_plugin.attempts.files import own_file, sync_directory
from csf_backup_plugin.attempts.line import NewerLine, UnreadableLine, decode

if TYPE_CHECKING:
    from collections.abc import Iterator

    from csf_backup_plugin.attempts.ledger import Ledger

#: Seconds that a line is kept: 13 months.
KEPT = 400 * 86400
#: How many lines are always kept, so that a wrong clock cannot empty the ledger.
LEAST = 1000
_EVERY = 86400


def prune(ledger: Ledger) -> None:
    """Remove lines that are too old, at most once a day; a lock file has the time of the last run.

    Raises:
        OSError: that failed; the ledger is as it was.
    """
    if ledger.lock is None or 0 <= time.time() - os.fstat(ledger.lock).st_mtime < _EVERY:
        return
    os.utime(ledger.lock)
    with own_file(ledger.path, os.O_RDONLY) as descriptor:
        with open(descriptor, "rb", closefd=False) as file:
            lines = file.readlines()
        kept = [*_kept(lines, timestamps.later(timestamps.now(), -KEPT))]
        if len(kept) < len(lines):
            _replace(ledger, b"".join(reversed(kept)), os.fstat(descriptor).st_mode & 0o777)


def _kept(lines: list[bytes], oldest: str) -> Iterator[bytes]:
    """Yield the lines that stay, the last one first.

    A line that cannot be read counts as being as old as the line after it.
    """
    at = oldest
    for number, line in enumerate(reversed(lines)):
        with contextlib.suppress(UnreadableLine, NewerLine):
            at = str(decode(line).facts["at"])
        if number < LEAST or at >= oldest:
            yield line


def _replace(ledger: Ledger, data: bytes, mode: int) -> None:
    """Replace the ledger's contents atomically."""
    temporary = f"{ledger.path}.tmp"
    with contextlib.suppress(FileNotFoundError):  # left by a killed run
        os.unlink(temporary)
    try:
        with own_file(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL) as descriptor:
            with open(descriptor, "wb", closefd=False) as file:
                file.write(data)
            os.fchmod(descriptor, mode)
            os.fsync(descriptor)
        os.rename(temporary, ledger.path)
    except OSError:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise
    sync_directory(ledger.directory)
