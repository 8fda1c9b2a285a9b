"""Compare what is archived with an earlier backup, piece by piece."""

from __future__ import annotations

from collections.abc import Mapping

from csf_simulator.database.sources import Source
from csf_simulator.image.base import Base


class Comparison:
    """A comparison with nothing: all of every database is new.

    Attributes:
        bases: what databases are built upon, by number; the others are archived whole.
    """

    bases: Mapping[int, Base] = {}

    def view(self, source: Source) -> Source:
        """Return the source through which a database is read for the comparison."""
        return source

    def is_same(self, database: int, first: int, piece: memoryview) -> bool:
        """Tell whether a piece is unchanged; several threads may call this at once.

        Args:
            database: number of the database, from 0.
            first: number of the first sector.
            piece: the sectors, at most layout.PIECE bytes, not all of them zeros.
        """
        return False


NOTHING_BEFORE = Comparison()
