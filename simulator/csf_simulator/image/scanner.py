"""Read the records of an image, over all its volumes, and check that each is in its place."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from typing import NamedTuple

from csf_simulator.image import layout
from csf_simulator.image.layout import RECORD_SIZE, VOLUME_SIZE, ImageError, Record, Volume
from csf_simulator.image.volumes import VolumeInput


class Frame(NamedTuple):
    """A record, and the place of its payload."""

    record: Record
    volume: VolumeInput
    claim: int

    def load(self, buffer: bytearray) -> memoryview:
        """Return the payload, read into the buffer that the frame was claimed with.

        Raises:
            ImageError: it is damaged or cut short.
        """
        view = memoryview(buffer)[: self.record.length]
        if self.volume.fill(view, self.claim) != self.record.length:
            raise ImageError("the image is cut short")
        if zlib.crc32(view) != self.record.checksum:
            raise ImageError("data in the image is damaged")
        return view


class Scanner:
    """The records of an image, in order; for one thread at a time.

    Args:
        next_volume: opens the volume of a number, from 1, when it is needed.
    """

    def __init__(self, next_volume: Callable[[int], VolumeInput]) -> None:
        self._next_volume = next_volume
        self._opened: list[VolumeInput] = []
        self._image_id = b""
        self._records = 0

    def next(self) -> Record:
        """Return the next record; its payload, if any, must be claimed before the one after it.

        Raises:
            ImageError: it is damaged, missing or out of place.
        """
        if not self._opened:
            self._start_volume()
        record = self._read_record()
        while record.kind == layout.NEXT:
            self.require_end()
            self._opened[-1].retire()
            self._start_volume()
            record = self._read_record()
        return record

    def claim(self, record: Record, buffer: bytearray) -> Frame:
        """Claim the payload of the record that came last; the buffer must be large enough."""
        volume = self._opened[-1]
        return Frame(record, volume, volume.claim(memoryview(buffer)[: record.length]))

    def require_end(self) -> None:
        """Raise ImageError unless the volume ends here."""
        if self._read(1):
            raise ImageError("something follows the end of the image")

    def close(self) -> None:
        """Close all volumes."""
        for volume in self._opened:
            volume.close()

    def _start_volume(self) -> None:
        """Open the next volume; all must belong to the first."""
        number = len(self._opened) + 1
        self._opened.append(self._next_volume(number))
        volume = layout.unpack_volume(self._read(VOLUME_SIZE))
        self._image_id = self._image_id or volume.image_id
        if volume != Volume(number, self._image_id):
            raise ImageError(f"this is not volume {number} of the image")

    def _read_record(self) -> Record:
        """Read the header of a record; it must be the next of this image."""
        record = layout.unpack_record(self._read(RECORD_SIZE))
        if (record.sequence, record.image_id) != (self._records, self._image_id):
            raise ImageError("a record is missing, repeated, or from another image")
        self._records += 1
        return record

    def _read(self, length: int) -> bytes:
        """Read bytes at the present place; fewer at the end of the volume."""
        view, volume = memoryview(bytearray(length)), self._opened[-1]
        return bytes(view[: volume.fill(view, volume.claim(view))])
