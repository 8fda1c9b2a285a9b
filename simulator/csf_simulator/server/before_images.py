"""Save sectors before they are overwritten, for the backups that are going on."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from contextlib import suppress

from csf_simulator.database.sectors import SECTOR
from csf_simulator.server.claims import void
from csf_simulator.server.snapshot_file import SnapshotFile
from csf_simulator.system.files import identity

Sector = tuple[str, int]  # path of the database, number

_REMEMBERED = 1 << 16


class BeforeImages:
    """Saves sectors in snapshots, and remembers some that it need not check again."""

    def __init__(self) -> None:
        self._safe: dict[str, set[Sector]] = {}

    def save(self, snapshots: Iterable[str], sectors: Mapping[str, Iterable[int]]) -> None:
        """Save sectors in every snapshot that still needs them.

        A snapshot in which that fails is given up: the backup fails, and not the transaction
        (break-snapshot in QEMU).

        Args:
            snapshots: the files of the snapshots that are in use.
            sectors: the numbers of the sectors, by real path of their database.
        """
        wanted = {(path, number) for path, numbers in sectors.items() for number in numbers}
        self._safe = {snapshot: self._safe.get(snapshot, set()) for snapshot in snapshots}
        for snapshot, safe in self._safe.items():
            if unsafe := wanted - safe:
                _save_or_give_up(snapshot, unsafe)
                if len(safe) < _REMEMBERED:
                    safe |= unsafe


def _save_or_give_up(path: str, sectors: Iterable[Sector]) -> None:
    """Save sectors in one snapshot or, if that fails, give it up."""
    try:
        fd = os.open(path, os.O_RDWR)
        try:
            snapshot = SnapshotFile(fd)
            for sector in sectors:
                _save(snapshot, sector)
        finally:
            os.close(fd)
    except OSError:
        void(path)


def _save(snapshot: SnapshotFile, sector: Sector) -> None:
    """Save a sector in a snapshot that has its database and still needs it."""
    path, number = sector
    with suppress(FileNotFoundError):  # the database was removed since
        fd = os.open(path, os.O_RDONLY)
        try:
            place = snapshot.find(identity(fd))
            if place and number < place.sectors and snapshot.needs(place.first + number):
                snapshot.save(place.first + number, os.pread(fd, SECTOR, number * SECTOR))
        finally:
            os.close(fd)
