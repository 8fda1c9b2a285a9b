"""Databases as they were at the instant of a snapshot, for osbackup to read."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import accumulate

from csf_simulator.database.file_source import FileSource
from csf_simulator.database.sectors import SECTOR
from csf_simulator.server.snapshot_file import Place, SnapshotFile, encode_databases
from csf_simulator.system.files import write_at


class SnapshotSource:
    """One database of a snapshot; `database.sources.Source` says what its methods do.

    Each sector may be read once: its old content is not kept after that.

    Args:
        file: the database; it may change and grow.
        snapshot: what was in the sectors that changed.
        first: position of the database's sector 0 in the snapshot.
    """

    __slots__ = ("_file", "_first", "_snapshot", "database_id", "extents", "path", "sectors")

    def __init__(self, file: FileSource, snapshot: SnapshotFile, first: int) -> None:
        self.path = file.path
        self.database_id = file.database_id
        self.sectors = file.sectors
        # No data becomes a hole: what is a hole still was one at the instant of the snapshot.
        self.extents = file.extents
        self._file = file
        self._snapshot = snapshot
        self._first = first

    def read(self, first_sector: int, buffer: memoryview) -> None:
        """Fill a buffer with what was in the sectors from `first_sector` on.

        Raises:
            OSError: the database vanished or was replaced, or a before-image could not be saved.
        """
        position = self._first + first_sector
        self._file.read(first_sector, buffer)
        self._snapshot.undo(position, buffer)
        if self._snapshot.is_void():
            raise OSError("the snapshot is void: a before-image could not be saved")
        self._snapshot.archive(position, len(buffer) // SECTOR)


def take_snapshot(fd: int, paths: Iterable[str]) -> list[SnapshotSource]:
    """Take a snapshot of databases; no transaction may be going on.

    Args:
        fd: the empty file of the snapshot, which must stay open.
        paths: the databases, each of them once.

    Raises:
        OSError: one cannot be read; `filename` says which.
        NotADatabase: one is not a database, or not of the length its header says.
    """
    files = [FileSource(path) for path in paths]
    firsts = accumulate((file.sectors for file in files), initial=0)
    places = [Place(first, file.sectors) for first, file in zip(firsts, files, strict=False)]
    identities = [file.identity for file in files]
    write_at(fd, encode_databases(list(zip(identities, places, strict=True))), 0)
    snapshot = SnapshotFile(fd)
    return [
        SnapshotSource(file, snapshot, place.first)
        for file, place in zip(files, places, strict=True)
    ]
