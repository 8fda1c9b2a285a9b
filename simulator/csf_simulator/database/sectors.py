"""The sectors of a database: 512 bytes that say where they belong.

Invented here: the real format is proprietary. Only the size of a sector is ObjectStore's
(Release 6.0 manual). A database is a plain file of whole sectors. Each sector that was ever written
carries its own proof, so that a flipped, misplaced or foreign one is found; little endian::

     0    4  magic "OSDB"
     4    4  CRC-32 of bytes 8 to 511
     8    8  number of the sector in its database
    16   16  id of the database
    32  480  payload

A sector never written is all zeros, most often a hole in the file. Sector 0 is the header.
"""

from __future__ import annotations

import struct
import zlib

SECTOR = 512
PAYLOAD = 480

_MAGIC = b"OSDB"
_NEVER_WRITTEN = bytes(SECTOR)
_FRAME = struct.Struct("<4sI")
_BODY = struct.Struct("<Q16s480s")


class DamagedSectorError(ValueError):
    """A sector does not hold what its place in the file calls for."""


def encode_sector(database_id: bytes, number: int, payload: bytes) -> bytes:
    """Wrap a payload of at most 480 bytes into the 512 bytes of one sector.

    Raises:
        ValueError: the payload is too long.
    """
    if len(payload) > PAYLOAD:
        raise ValueError(f"{len(payload)} bytes do not fit into a sector's {PAYLOAD}")
    body = _BODY.pack(number, database_id, payload)
    return _FRAME.pack(_MAGIC, zlib.crc32(body)) + body


def decode_sector(sector: bytes, database_id: bytes, number: int) -> bytes | None:
    """Unwrap a sector read from its place in a database.

    Returns:
        The 480 bytes of its payload; None for a sector that was never written.

    Raises:
        DamagedSectorError: the sector is damaged, belongs to another place or to another database.
    """
    if sector == _NEVER_WRITTEN:
        return None
    found_number, found_id, payload = unwrap(sector, number)
    if found_id != database_id:
        raise DamagedSectorError(f"sector {number} belongs to another database")
    if found_number != number:
        raise DamagedSectorError(f"sector {number} holds sector {found_number}")
    return payload


def unwrap(sector: bytes, number: int) -> tuple[int, bytes, bytes]:
    """Return the number, database id and payload that a sector itself states.

    Args:
        sector: the sector.
        number: its place in the file, for the error message only.

    Raises:
        DamagedSectorError: its checksum is wrong.
    """
    if len(sector) != SECTOR:
        raise DamagedSectorError(f"sector {number} has {len(sector)} bytes, not {SECTOR}")
    magic, checksum = _FRAME.unpack_from(sector)
    if magic != _MAGIC or checksum != zlib.crc32(sector[_FRAME.size :]):
        raise DamagedSectorError(f"sector {number} fails its checksum")
    number, database_id, payload = _BODY.unpack_from(sector, _FRAME.size)
    return number, database_id, payload
