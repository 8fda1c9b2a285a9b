"""The file of one snapshot: what the sectors of its databases held before they were overwritten.

Copy before write, as in QEMU's filter of that name: a process that overwrites a sector first saves
its content here, unless it is saved or archived already. So the old contents of all databases can
be read while they change, without a lock. Invented here; big endian::

     0    8  number of databases
     8    8  sectors of all of them together
    16       for each database, in order of the first three, by which it is searched for:
             device 8, inode 8, generation 4; position of its first sector 8; sectors 8
             for each sector, by its position, one byte: 1 once it is archived
             for each sector one byte: 1 once its before-image is saved
             for each sector the 512 bytes of its before-image

The file is sparse: it holds little more than the before-images. The order of the steps replaces the
lock. A writer saves the before-image, then marks it, then overwrites the sector; a reader reads the
sector, then looks for the mark. So the reader knows which of the two contents it has read.
"""

from __future__ import annotations

import os
import struct
from bisect import bisect_left
from collections.abc import Sequence
from typing import NamedTuple

from csf_simulator.database.sectors import SECTOR
from csf_simulator.system.files import Identity, write_at

_HEADER = struct.Struct(">QQ")
_IDENTITY = struct.Struct(">QQI")
_PLACE = struct.Struct(">QQ")
_RECORD = _IDENTITY.size + _PLACE.size
_YES = b"\1"


class Place(NamedTuple):
    """Where the sectors of one database lie among those of all databases of a snapshot.

    Attributes:
        first: position of its sector 0.
        sectors: how many it had when the snapshot was taken; later sectors are ignored.
    """

    first: int
    sectors: int


class SnapshotFile:
    """An open snapshot; any number of threads may use it.

    Args:
        fd: the file, which begins with what `encode_databases` makes.
    """

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._databases, sectors = _HEADER.unpack(os.pread(fd, _HEADER.size, 0))
        self._archived = _HEADER.size + self._databases * _RECORD
        self._saved = self._archived + sectors
        self._before_images = self._saved + sectors

    def find(self, identity: Identity) -> Place | None:
        """Return the place of a database, None if the snapshot does not have it."""
        wanted = _IDENTITY.pack(*identity)
        number = bisect_left(range(self._databases), wanted, key=self._identity_of)
        if number == self._databases or self._identity_of(number) != wanted:
            return None
        offset = _record_at(number) + _IDENTITY.size
        return Place(*_PLACE.unpack(os.pread(self._fd, _PLACE.size, offset)))

    def needs(self, position: int) -> bool:
        """Tell whether a sector must be saved before it is overwritten."""
        marks = (os.pread(self._fd, 1, start + position) for start in (self._archived, self._saved))
        return _YES not in marks

    def save(self, position: int, sector: bytes) -> None:
        """Save the before-image of a sector, 512 bytes."""
        # If killed between the two, it is not saved; the next process finds the same content.
        write_at(self._fd, sector, self._before_images + position * SECTOR)
        write_at(self._fd, _YES, self._saved + position)

    def undo(self, position: int, sectors: memoryview) -> None:
        """Put back, into sectors just read, what was overwritten since the snapshot.

        Args:
            position: of the first.
            sectors: their contents, which are replaced by the before-images that are saved.
        """
        marks = os.pread(self._fd, len(sectors) // SECTOR, self._saved + position)
        number = marks.find(_YES)
        while number >= 0:
            before = sectors[number * SECTOR : (number + 1) * SECTOR]
            os.preadv(self._fd, [before], self._before_images + (position + number) * SECTOR)
            number = marks.find(_YES, number + 1)

    def archive(self, position: int, count: int) -> None:
        """Mark sectors that were read: their before-images are no longer needed."""
        write_at(self._fd, _YES * count, self._archived + position)

    def is_void(self) -> bool:
        """Tell whether the claim has ended, so that before-images may be missing."""
        return os.fstat(self._fd).st_nlink == 0

    def _identity_of(self, number: int) -> bytes:
        """Return the identity of a database by its number in the table."""
        return os.pread(self._fd, _IDENTITY.size, _record_at(number))


def encode_databases(databases: Sequence[tuple[Identity, Place]]) -> bytes:
    """Make the beginning of the file."""
    records = sorted(_IDENTITY.pack(*who) + _PLACE.pack(*place) for who, place in databases)
    sectors = sum(place.sectors for _, place in databases)
    return b"".join([_HEADER.pack(len(records), sectors), *records])


def _record_at(number: int) -> int:
    return _HEADER.size + number * _RECORD
