"""Makes the changes of a transaction: all or none of them, whenever the process is killed.

All that will be done is written down first, in the redo log, and then done. So a process that is
killed has done nothing, or has left a log that the next one carries out. What turns out to be
impossible, as on a full disk or in a file that is read-only, is undone: the log also says what was
there before. Only where neither can be done does the log stay, and all transactions fail.
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
        log: Path of the file.
        save: Called with the sectors that are about to be overwritten, for those who need them.
    """

    def __init__(self, log: str, save: Callable[[Sectors], None]) -> None:
        self._log = log
        self._save = save

    def recover(self) -> None:
        """Carry out what a process promised that was killed before it was done.

        If that is impossible, nothing of it is done: nobody was told that it is. A database built
        for it stays under the name it was built under.
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
            self.forget(durable=changes is not None)

    def promise(self, changes: Changes, *, durable: bool) -> None:
        """Write the log; from its last byte on, a process that is killed holds nobody up."""
        if any(changes):
            overwrite(self._log, {0: encode_log(changes)}, durable=durable)

    def fulfil(self, changes: Changes, *, durable: bool) -> None:
        """Make the changes; made twice, or first half and then whole, they are the same.

        Raises:
            OSError: They cannot be made, and everything is as it was before.
        """
        if not any(changes):
            return
        try:
            self._make(changes, durable=durable)
        except OSError:
            _undo(changes, durable=durable)
            self.forget(durable=durable)
            for unfinished in changes.databases.values():
                remove(unfinished)
            raise
        with suppress(OSError):  # they are made: whoever comes next finds so, and forgets them
            self.forget(durable=durable)

    def forget(self, *, durable: bool) -> None:
        """Empty the log."""
        truncate(self._log, durable=durable)

    def _make(self, changes: Changes, *, durable: bool) -> None:
        """Make all changes, or fail half way."""
        self._save(changes.sectors)
        for path, sectors in changes.sectors.items():
            with suppress(FileNotFoundError):  # the database was removed since
                _overwrite_sectors(path, sectors, durable=durable)
        for path, unfinished in changes.databases.items():
            with suppress(FileNotFoundError):  # the database has its name already
                rename(unfinished, path, durable=durable)


def _undo(changes: Changes, *, durable: bool) -> None:
    """Take back what was made of the changes, be it nothing."""
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
        elif durable:  # whoever wrote them may have been killed before this
            os.fsync(fd)
    finally:
        os.close(fd)
