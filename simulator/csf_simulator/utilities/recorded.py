"""A backup with a record, osbackup -i: saves what changed since a lower level, and is recorded."""

from __future__ import annotations

import time
from collections.abc import Sequence

from csf_simulator.database.sources import Source
from csf_simulator.image.increment import Increment
from csf_simulator.utilities.record_file import RecordFile
from csf_simulator.utilities.selection import Identity
from csf_simulator.utilities.unrecorded import Unrecorded


class Recorded(Unrecorded):
    """A backup with -i.

    Args:
        path: the record file.
        level: level to save at.

    Raises:
        UtilityError: the record file cannot be used.
    """

    def __init__(self, path: str, level: int) -> None:
        self.level = level
        self._record = RecordFile(path)
        self._increment = Increment((), self._record.entries, level)

    def taken(self) -> list[Identity]:
        """Return device and inode of the record file, if it exists."""
        return self._record.identity()

    def compare(self, sources: Sequence[Source]) -> Increment:
        """Return the comparison with the record."""
        self._increment = Increment(sources, self._record.entries, self.level)
        return self._increment

    def record(self, image_id: bytes) -> None:
        """Replace the record file.

        Raises:
            OSError: it cannot be written.
            UtilityError: another program replaced it meanwhile.
        """
        self._record.replace(self._increment.entries(image_id, int(time.time())))
