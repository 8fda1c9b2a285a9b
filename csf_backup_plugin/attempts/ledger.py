"""The ledger's file; one process at a time appends to it."""

from __future__ import annotations

import contextlib
import errno
import os
from typing import TYPE_CHECKING

from csf_backup_plugin.attempts.directory import make_directory
from csf_backup_plugin.attempts.files import locked, own_file, sync_directory

if TYPE_CHECKING:
    from collections.abc import Iterator

FILE = "attempts.jsonl"
#: In this directory each attempt has a lock file, which it holds as long as it runs.
LOCKS = "attempts"
_LOCK = "attempts.lock"
_LOOKED_AT = 16 * 2**20  # bytes; some 30,000 lines


class Ledger:
    """The ledger, open for writing.

    Args:
        directory: where it is.
        descriptor: its file.
        lock: the descriptor of its lock; None if there are no locks.

    Attributes:
        path: its file.
        lock: as above; without locks, the ledger is only appended to.
    """

    def __init__(self, directory: str, descriptor: int, lock: int | None) -> None:
        self.directory = directory
        self.path = os.path.join(directory, FILE)
        self.lock = lock
        self._descriptor = descriptor

    def append(self, lines: bytes) -> None:
        """Append whole lines by one write, and flush them to the disk.

        If a kill or a full disk has cut the last line short, it is ended first.

        Raises:
            OSError: that failed.
        """
        size = os.fstat(self._descriptor).st_size
        if size and os.pread(self._descriptor, 1, size - 1) != b"\n":
            lines = b"\n" + lines
        if os.write(self._descriptor, lines) < len(lines):
            raise OSError(errno.ENOSPC, "No space left on device", self.path)
        os.fsync(self._descriptor)

    def recent(self) -> bytes:
        """Return the last lines, or all if there are fewer."""
        size = os.fstat(self._descriptor).st_size
        return os.pread(self._descriptor, _LOOKED_AT, max(0, size - _LOOKED_AT))


@contextlib.contextmanager
def opened(directory: str) -> Iterator[Ledger]:
    """Open the ledger for writing while the block runs; create it if it is missing.

    Args:
        directory: where it is.

    Raises:
        OSError: it cannot be opened or created.
    """
    make_directory(directory)
    path = os.path.join(directory, FILE)
    flags = os.O_RDWR | os.O_APPEND | os.O_CREAT
    with locked(os.path.join(directory, _LOCK)) as lock, own_file(path, flags) as descriptor:
        if not os.fstat(descriptor).st_size:
            os.fchmod(descriptor, 0o644)  # whatever the umask
            sync_directory(directory)
        yield Ledger(directory, descriptor, lock)
