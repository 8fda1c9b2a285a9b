"""The bytes of a backup image: pure packing and unpacking, described in IMAGE_FORMAT.md."""

from __future__ import annotations

import struct
import zlib
from typing import NamedTuple

from csf_simulator.database.sectors import SECTOR

MAGIC = b"\x89OSI\r\n\x1a\n"  # as PNG's: shows a transfer that changed line ends or dropped bits
VERSION = 1

# Kinds of records. As in PNG, a reader may skip an unknown kind that begins in lower case.
INFO = b"info"
DATABASE = b"BASE"
OVER = b"OVER"
DATA = b"DATA"
ZERO = b"ZERO"
SAME = b"SAME"
NEXT = b"NEXT"
DONE = b"DONE"

FRAME = 1024 * 1024  # bytes of data in a record at most; less or more is slower
PAYLOAD_LIMIT = 8192  # bytes of payload in any other record
RUN_LIMIT = 2**31  # sectors in one record of zeros
PIECE = 16 * 1024  # bytes that are compared at a time, with zeros and with an earlier backup

_LONGEST = {DATA: FRAME, ZERO: 0, SAME: 0, NEXT: 0, DONE: 0}

_VOLUME = struct.Struct("<8sHHI8sI")
_RECORD = struct.Struct("<4sIQ8sIIQII")
_CRC = 4

VOLUME_SIZE = _VOLUME.size
RECORD_SIZE = _RECORD.size


class ImageError(ValueError):
    """An image is damaged or incomplete, or the file is no image."""


class Volume(NamedTuple):
    """The header of a volume.

    Attributes:
        number: place among the volumes of the image, from 1.
        image_id: 8 random bytes; every record of the image repeats them.
    """

    number: int
    image_id: bytes


class Record(NamedTuple):
    """The header of a record.

    Attributes:
        kind: one of the kinds above.
        length: bytes of payload that follow the header.
        sequence: place among the records of the image, from 0.
        image_id: that of the volume.
        database: number of the database, in the order of the DATABASE records, from 0.
        sectors: sectors that a DATA, ZERO or SAME record stands for.
        first: first of these sectors; in a DONE record: the sectors of all databases.
        checksum: CRC-32 of the payload.
    """

    kind: bytes
    length: int
    sequence: int
    image_id: bytes
    database: int = 0
    sectors: int = 0
    first: int = 0
    checksum: int = 0


def pack_volume(volume: Volume) -> bytes:
    """Make the header of a volume."""
    header = _VOLUME.pack(MAGIC, VERSION, 0, volume.number, volume.image_id, 0)
    return _seal(header)


def unpack_volume(header: bytes) -> Volume:
    """Read the header of a volume.

    Raises:
        ImageError: it is not the start of an image, is damaged, or of a newer format.
    """
    if len(header) != VOLUME_SIZE or not header.startswith(MAGIC):
        raise ImageError("not a backup image")
    _check_seal(header, "header of the volume")
    _, version, _, number, image_id, _ = _VOLUME.unpack(header)
    if version != VERSION:
        raise ImageError(f"an image of format {version}; this program reads format {VERSION}")
    return Volume(number, image_id)


def pack_record(record: Record) -> bytes:
    """Make the header of a record."""
    return _seal(_RECORD.pack(*record, 0))


def unpack_record(header: bytes) -> Record:
    """Read the header of a record.

    Raises:
        ImageError: it is damaged, or claims a payload no record of its kind has.
    """
    if len(header) != RECORD_SIZE:
        raise ImageError("the image is cut short")
    _check_seal(header, "header of a record")
    record = Record._make(_RECORD.unpack(header)[:-1])
    too_long = record.length > _LONGEST.get(record.kind, PAYLOAD_LIMIT)
    if too_long or (record.kind == DATA and record.length != record.sectors * SECTOR):
        raise ImageError("a record claims a payload it cannot have")
    return record


def _seal(header: bytes) -> bytes:
    """Replace the last four bytes of a header by its CRC-32."""
    return header[:-_CRC] + struct.pack("<I", zlib.crc32(header[:-_CRC]))


def _check_seal(header: bytes, what: str) -> None:
    """Raise ImageError unless a header ends in its own CRC-32."""
    if _seal(header) != header:
        raise ImageError(f"the {what} is damaged")
