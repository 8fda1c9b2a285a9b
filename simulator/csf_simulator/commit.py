"""Makes the changes of a transaction: all or none of them, whenever the process is killed.

All that will be done is written down first, in the redo log, and then done. So a process that is
killed has done nothing, or has left a log that the next one carries out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress

from csf_simulator.database import SECTOR
from csf_simulator.files import overwrite, rename, truncate
from csf_simulator.redo import Changes, decode_log, encode_log

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
        """Carry out what a process promised that was killed before it was done."""
        with open(self._log, "rb") as file:
            log = file.read()
        changes = decode_log(log)
        if changes is not None:
            self.fulfil(changes, durable=True)
        elif log:
            self.forget(durable=False)

    def promise(self, changes: Changes, *, durable: bool) -> None:
        """Write the log; from its last byte on, the changes are made whatever happens."""
        if any(changes):
            overwrite(self._log, {0: encode_log(changes)}, durable=durable)

    def fulfil(self, changes: Changes, *, durable: bool) -> None:
        """Make the changes; made twice, or first half and then whole, they are the same."""
        if not any(changes):
            return
        self._save(changes.sectors)
        for path, sectors in changes.sectors.items():
            with suppress(FileNotFoundError):  # the database was removed since
                _overwrite_sectors(path, sectors, durable=durable)
        for path, unfinished in changes.databases.items():
            with suppress(FileNotFoundError):  # the database has its name already
                rename(unfinished, path, durable=durable)
        self.forget(durable=durable)

    def forget(self, *, durable: bool) -> None:
        """Empty the log."""
        truncate(self._log, durable=durable)


def _overwrite_sectors(path: str, sectors: Mapping[int, bytes], *, durable: bool) -> None:
    """Put new contents into a database: the one place where a sector is ever overwritten."""
    contents = {number * SECTOR: sector for number, sector in sectors.items()}
    overwrite(path, contents, durable=durable)
