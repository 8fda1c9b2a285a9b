"""A backup without a record: osbackup without option -i."""

from __future__ import annotations

from collections.abc import Sequence

from csf_simulator.database.sources import Source
from csf_simulator.image.comparison import NOTHING_BEFORE, Comparison
from csf_simulator.utilities.selection import Identity


class Unrecorded:
    """A backup without -i: it saves everything, and no other can be built upon it.

    Attributes:
        level: 0.
    """

    level = 0

    def taken(self) -> list[Identity]:
        """Return device and inode of the files that no image may overwrite."""
        return []

    def compare(self, sources: Sequence[Source]) -> Comparison:
        """Return the comparison to archive databases with."""
        return NOTHING_BEFORE

    def record(self, image_id: bytes) -> None:
        """Do nothing: no later backup builds upon this one."""
