"""Write the records of an image, in one pass, from any number of threads."""

from __future__ import annotations

import threading
import zlib
from collections.abc import Callable

from csf_simulator.database.sectors import SECTOR
from csf_simulator.image import layout
from csf_simulator.image.base import Base, pack_base
from csf_simulator.image.catalog import Database, pack_database
from csf_simulator.image.layout import RECORD_SIZE, VOLUME_SIZE, Record, Volume
from csf_simulator.image.sinks import Buffer, Sink


class ImageWriter:
    """An image being written, volume after volume.

    Args:
        image_id: 8 random bytes that tell this image from all others.
        next_volume: opens the volume of a number, from 1; the one before is finished by then.
        limit: bytes a volume may have; None for no limit. With a limit, one thread only may write.
    """

    def __init__(
        self, image_id: bytes, next_volume: Callable[[int], Sink], limit: int | None = None
    ) -> None:
        self._image_id = image_id
        self._next_volume = next_volume
        self._limit = limit
        self._lock = threading.Lock()
        self._records = self._databases = self._sectors = self._volume = self._used = 0
        self._sink: Sink | None = None

    def info(self, text: str) -> None:
        """Write a note for people; readers skip it."""
        self._append(layout.INFO, text.encode())

    def database(self, database: Database) -> None:
        """Write a DATABASE record; call it for all databases before the first sector of any."""
        self._append(layout.DATABASE, pack_database(database), self._databases)
        self._databases += 1
        self._sectors += database.sectors

    def base(self, database: int, base: Base) -> None:
        """Write what a database is built upon; call it before the first sector of any database."""
        self._append(layout.OVER, pack_base(base), database)

    def data(self, database: int, first: int, payload: memoryview) -> None:
        """Write sectors of a database.

        Args:
            database: number of the database, from 0.
            first: number of the first sector.
            payload: the sectors, at most layout.FRAME bytes.
        """
        self._append(layout.DATA, payload, database, len(payload) // SECTOR, first)

    def zero(self, database: int, first: int, sectors: int) -> None:
        """Write a run of at most layout.RUN_LIMIT sectors that are all zeros."""
        self._append(layout.ZERO, b"", database, sectors, first)

    def same(self, database: int, first: int, sectors: int) -> None:
        """Write that at most a frame of sectors is unchanged since the earlier backup."""
        self._append(layout.SAME, b"", database, sectors, first)

    def fitting(self, length: int) -> int:
        """Return how many bytes, whole sectors up to `length`, the volume takes as one record.

        A volume without room for a single sector is ended, and the next one asked.
        """
        if self._limit is None:
            return length
        self._sink_for(SECTOR)
        return min(length, self._room() // SECTOR * SECTOR)

    def finish(self) -> None:
        """Write the record that makes the image whole."""
        self._append(layout.DONE, b"", self._databases, first=self._sectors)

    def close(self) -> None:
        """Close the volume; without `finish` before, the image has no end."""
        if self._sink is not None:
            self._sink.close()

    def _append(
        self, kind: bytes, payload: Buffer, database: int = 0, sectors: int = 0, first: int = 0
    ) -> None:
        """Write a record, into the next volume if this one has no room for it."""
        checksum = zlib.crc32(payload)
        with self._lock:
            sink = self._sink_for(len(payload))
            parts = (self._header(kind, len(payload), database, sectors, first, checksum), payload)
            offset = sink.claim(parts)
        sink.store(parts, offset)

    def _header(self, kind: bytes, length: int, *fields: int) -> bytes:
        """Make the header of the next record."""
        header = layout.pack_record(Record(kind, length, self._records, self._image_id, *fields))
        self._records += 1
        self._used += len(header) + length
        return header

    def _room(self) -> int:
        """Return the bytes of payload that fit beside the record that ends the volume."""
        return (self._limit or 0) - self._used - 2 * RECORD_SIZE

    def _sink_for(self, length: int) -> Sink:
        """Return the volume, the next one if this has no room for a payload."""
        if self._sink is None:
            return self._start_volume()
        if self._limit is None or self._room() >= length:
            return self._sink
        _put(self._sink, self._header(layout.NEXT, 0))
        self._sink.close()
        return self._start_volume()

    def _start_volume(self) -> Sink:
        """Begin the next volume."""
        self._volume += 1
        self._sink = self._next_volume(self._volume)
        self._used = VOLUME_SIZE
        _put(self._sink, layout.pack_volume(Volume(self._volume, self._image_id)))
        return self._sink


def _put(sink: Sink, header: bytes) -> None:
    """Write a header that has no payload."""
    sink.store((header,), sink.claim((header,)))
