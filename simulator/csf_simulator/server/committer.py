"""Commit a transaction: make all of its changes or none, even if the process is killed.

The changes are written to the redo log first, and then made. So a killed process has done nothing,
or has left a log that the next process applies. Changes that turn out to be impossible, as on a
full disk or in a read-only file, are undone: the log also says what was there before. If undoing
fails too, the log stays and all transactions fail.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from contextlib import suppress

from csf_simulator.database.changes import Changes
from csf_simulator.database.sectors import SECTOR
from csf_simulator.server.redo_log import decode_log, encode_log
from csf_simulator.system.files import overwrite, remove, rename, truncate

Sectors = Mapping[str, Mapping[int, bytes]]  # new contents, by path and number


class Committer:
    """The redo log of a home; the Server is locked whenever it is used.

    Args:
        log: path of the file.
        save: called with the sectors that are about to be overwritten, to save them for snapshots.
    """

    def __init__(self, log: str, save: Callable[[Sectors], None]) -> None:
        self._log = log
        self._save = save

    def recover(self) -> None:
        """Apply the log of a process that was killed during its commit.

        If that is impossible, the changes are undone: no process was told that they are made. A
        database built for them keeps its temporary name.
        """
        with open(self._log, "rb") as file:
            log = file.read()
        changes = decode_log(log)
        if changes is not None:
            try:
                self._make(changes, durable=True)
            except OSError:
                _undo(changes, durable=True)
        if log:
            self.clear_log(durable=changes is not None)

    def write_log(self, changes: Changes, *, durable: bool) -> None:
        """Write the log; once it is whole, the transaction survives the death of the process."""
        if any(changes):
            overwrite(self._log, {0: encode_log(changes)}, durable=durable)

    def apply(self, changes: Changes, *, durable: bool) -> None:
        """Make the changes; doing so again, also after half of them, gives the same result.

        Raises:
            OSError: they cannot be made; all files are as they were before.
        """
        if not any(changes):
            return
        try:
            self._make(changes, durable=durable)
        except OSError:
            _undo(changes, durable=durable)
            self.clear_log(durable=durable)
            for unfinished in changes.databases.values():
                remove(unfinished)
            raise
        with suppress(OSError):  # they are made: the next process sees that, and clears the log
            self.clear_log(durable=durable)

    def clear_log(self, *, durable: bool) -> None:
        """Empty the log."""
        truncate(self._log, durable=durable)

    def _make(self, changes: Changes, *, durable: bool) -> None:
        """Make all changes; a failure may leave part of them made."""
        self._save(changes.sectors)
        for path, sectors in changes.sectors.items():
            with suppress(FileNotFoundError):  # the database was removed since
                _overwrite_sectors(path, sectors, durable=durable)
        for path, unfinished in changes.databases.items():
            with suppress(FileNotFoundError):  # the database has its name already
                rename(unfinished, path, durable=durable)


def _undo(changes: Changes, *, durable: bool) -> None:
    """Undo the part of the changes that was made, if any."""
    for path, unfinished in changes.databases.items():
        if not os.path.lexists(unfinished):
            with suppress(FileNotFoundError):
                rename(path, unfinished, durable=durable)
    for path, before in changes.before.items():
        with suppress(FileNotFoundError):
            _overwrite_sectors(path, before.sectors, durable=durable)
            if os.path.getsize(path) > before.size:
                truncate(path, before.size, durable=durable)


def _overwrite_sectors(path: str, sectors: Mapping[int, bytes], *, durable: bool) -> None:
    """Put new contents into a database: the one place where a sector is ever overwritten.

    A file that has them already is not opened for writing: it may have become read-only.
    """
    fd = os.open(path, os.O_RDONLY)
    try:
        contents = {
            number * SECTOR: sector
            for number, sector in sectors.items()
            if os.pread(fd, SECTOR, number * SECTOR) != sector
        }
        if contents:
            overwrite(path, contents, durable=durable)
        elif durable:  # the process that wrote them may have been killed before this
            os.fsync(fd)
    finally:
        os.close(fd)
