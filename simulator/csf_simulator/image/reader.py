"""Read an image in one pass; it is known to be sound only at its end."""

from __future__ import annotations

from csf_simulator.database.sectors import SECTOR
from csf_simulator.image import layout
from csf_simulator.image.base import Base, unpack_base
from csf_simulator.image.catalog import Database, unpack_database
from csf_simulator.image.coverage import Coverage
from csf_simulator.image.layout import ImageError, Record
from csf_simulator.image.scanner import Frame, Scanner
from csf_simulator.image.worker_pool import WorkerPool

_SECTORS = (layout.DATA, layout.ZERO, layout.SAME)


class ImageReader:
    """An image being read; it is known to be sound only when `take` has returned None.

    Args:
        scanner: the records of the image.

    Attributes:
        databases: the databases in the image, in the order of their numbers.
        bases: what the incremental ones among them are built upon, by number.

    Raises:
        ImageError: it is no image, or is damaged before the first sector.
    """

    def __init__(self, scanner: Scanner) -> None:
        self.databases: list[Database] = []
        self.bases: dict[int, Base] = {}
        self._scanner = scanner
        self._starts: list[int] = []  # of each database, were all of them laid end to end
        self._sectors = 0
        self._coverage = Coverage()
        self._content: Record | None = None
        self._content = self._advance()

    def take(self, buffer: bytearray) -> Frame | None:
        """Return the next record of sectors; None when the image is complete and sound.

        Only one thread may ask at a time. The frame's `load` proves the payload.

        Args:
            buffer: of layout.FRAME bytes.

        Raises:
            ImageError: the image is damaged, cut short, or not whole.
        """
        if self._content is None:
            return None
        frame = self._scanner.claim(self._content, buffer)
        self._content = self._advance()
        return frame

    def _advance(self) -> Record | None:
        """Read on to the next record of sectors; None at the end of the image."""
        record = self._scanner.next()
        while record.kind not in (*_SECTORS, layout.DONE):
            payload = self._scanner.claim(record, buffer := bytearray(record.length)).load(buffer)
            self._note(record, bytes(payload))
            record = self._scanner.next()
        if record.kind == layout.DONE:
            self._note_end(record)
            return None
        self._note_sectors(record)
        return record

    def _note(self, record: Record, payload: bytes) -> None:
        """Read a record that holds no sectors."""
        if record.kind == layout.DATABASE:
            self._note_database(record, unpack_database(payload))
        elif record.kind == layout.OVER:
            self._note_base(record, unpack_base(payload))
        elif not record.kind[:1].islower():  # any lower-case kind may be skipped
            raise ImageError(f"a record of unknown kind {record.kind!r}")

    def _note_database(self, record: Record, database: Database) -> None:
        """Read a DATABASE record; they come in order, and before the first sector."""
        if self._content is not None or record.database != len(self.databases):
            raise ImageError("a database of the image is out of place")
        self.databases.append(database)
        self._starts.append(self._sectors)
        self._sectors += database.sectors

    def _note_base(self, record: Record, base: Base) -> None:
        """Read the OVER record of the last database."""
        number = record.database
        if self._content is not None or number in self.bases or number != len(self.databases) - 1:
            raise ImageError("a base of the image is out of place")
        self.bases[number] = base

    def _note_sectors(self, record: Record) -> None:
        """Count the sectors of a record, which must belong to a database and be new."""
        if record.database >= len(self.databases):
            raise ImageError("sectors of a database that is not in the image")
        if record.first + record.sectors > self.databases[record.database].sectors:
            raise ImageError("sectors beyond the end of their database")
        if record.kind == layout.SAME:
            self._check_same(record)
        self._coverage.add(self._starts[record.database] + record.first, record.sectors)

    def _check_same(self, record: Record) -> None:
        """Raise ImageError unless unchanged sectors are a frame of those that were there before."""
        base = self.bases.get(record.database)
        if base is None or record.first + record.sectors > base.sectors:
            raise ImageError("unchanged sectors of a database that did not have them")
        if record.sectors * SECTOR > layout.FRAME:
            raise ImageError("too many unchanged sectors in one record")

    def _note_end(self, record: Record) -> None:
        """Read the record at the end, before which everything must have come."""
        if (record.database, record.first) != (len(self.databases), self._sectors):
            raise ImageError("the image ends with other databases than it began with")
        self._coverage.require(self._sectors)
        self._scanner.require_end()


def verify(reader: ImageReader) -> None:
    """Read the whole image, with two threads.

    Raises:
        ImageError: anything is wrong with it.
    """
    WorkerPool(reader.take, Frame.load).run()
