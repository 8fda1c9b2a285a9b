"""Choose the earlier backup that an incremental backup is built upon, and update the record."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from csf_simulator.database.sources import Source
from csf_simulator.image.base import Base
from csf_simulator.image.checksums import PIECE_SECTORS, Checksums, checksum_of
from csf_simulator.image.comparison import Comparison
from csf_simulator.image.pieces import InPieces
from csf_simulator.image.record_format import RecordedState


class Increment(Comparison):
    """A comparison of databases with what a record says about them.

    Args:
        sources: the databases, numbered from 0.
        entries: the record, oldest first.
        level: 0 to save all of every database; otherwise what changed since the last backup at a
            lower level.

    Attributes:
        bases: what databases are built upon; one without a base is saved whole.
    """

    def __init__(
        self, sources: Sequence[Source], entries: Iterable[RecordedState], level: int
    ) -> None:
        self._sources = sources
        self._entries = list(entries)
        self._found = [Checksums() for _ in sources]
        chosen = {entry.path: entry for entry in self._entries if entry.level < level}
        self._before = {
            number: chosen[source.path].checksums
            for number, source in enumerate(sources)
            if source.path in chosen and chosen[source.path].database_id == source.database_id
        }
        self.bases: Mapping[int, Base] = {
            number: _base(chosen[sources[number].path], level) for number in self._before
        }

    def view(self, source: Source) -> InPieces:
        """Return a source that reads a database in the same pieces every time."""
        return InPieces(source)

    def is_same(self, database: int, first: int, piece: memoryview) -> bool:
        """Tell whether a piece is unchanged, and remember its checksum."""
        number, checksum = first // PIECE_SECTORS, checksum_of(piece)
        self._found[database].put(number, checksum)
        return database in self._before and self._before[database].has(number, checksum)

    def entries(self, image_id: bytes, time: int) -> list[RecordedState]:
        """Return the record as it is once everything is archived.

        Of the older states of these databases, only those remain that a later backup can build
        upon: states at lower levels, of the same database.

        Args:
            image_id: 8 bytes: the image that was written.
            time: seconds since 1970.
        """
        new = {
            source.path: self._entry(number, image_id, time)
            for number, source in enumerate(self._sources)
        }
        kept = [entry for entry in self._entries if _outlasts(entry, new.get(entry.path))]
        return kept + list(new.values())

    def _entry(self, number: int, image_id: bytes, time: int) -> RecordedState:
        """Return what is to be recorded of a database; one saved whole is at level 0."""
        source = self._sources[number]
        level = self.bases[number].level if number in self.bases else 0
        return RecordedState(
            source.path,
            source.database_id,
            image_id,
            level,
            time,
            source.sectors,
            self._found[number],
        )


def _base(entry: RecordedState, level: int) -> Base:
    """Return a recorded state as something to build upon."""
    digest = entry.checksums.digest(entry.sectors)
    return Base(level, entry.level, entry.image_id, entry.sectors, digest)


def _outlasts(entry: RecordedState, new: RecordedState | None) -> bool:
    """Tell whether a recorded state is still useful beside a newer one of the same path."""
    return new is None or (entry.level < new.level and entry.database_id == new.database_id)
