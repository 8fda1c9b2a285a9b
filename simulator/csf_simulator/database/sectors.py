"""The file format of a simulated database: sectors that say where they belong.

Invented here: the real format is proprietary. Only the size of a sector is ObjectStore's
(Release 6.0 manual). A database is a plain file of whole sectors. Every sector that was ever
written carries its own proof, so that a flipped, misplaced or foreign one is found; little endian::

     0    4  magic "OSDB"
     4    4  CRC-32 of bytes 8 to 511
     8    8  number of the sector in its database
    16   16  id of the database
    32  480  payload

A sector never written is all zeros, most often a hole in the file. Sector 0 is the header; the
header counts the sectors written, so that one lost to zeros is noticed. Its payload::

     0    4  version of the format, 1
     4    8  kind: "master", "schema" or "class"
    12    8  sectors in the file, this one included
    20    8  sectors written, this one not included
    28    4  accounts: sectors 1 to this number hold one account each
    32    8  sum of the opening balances, signed
"""

from __future__ import annotations

import os
import struct
import zlib
from typing import NamedTuple

SECTOR = 512
PAYLOAD = 480
KINDS = ("master", "schema", "class")

_MAGIC = b"OSDB"
_VERSION = 1
_NEVER_WRITTEN = bytes(SECTOR)
_FRAME = struct.Struct("<4sI")
_BODY = struct.Struct("<Q16s480s")
_HEADER = struct.Struct("<I8sQQIq")


class DamagedSectorError(ValueError):
    """A sector does not hold what its place in the file calls for."""


class NotADatabase(ValueError):
    """A file does not begin with the header of a database."""


class WrongLength(NotADatabase):
    """A database does not have the length that its header says."""


class Header(NamedTuple):
    """What a database says of itself in its sector 0.

    Attributes:
        database_id: 16 random bytes; a copy of a database keeps them.
        sectors: Length of the file in sectors of 512 bytes, the header included.
        kind: "master", "schema" or "class".
        written: Number of sectors ever written, the header not included.
        accounts: Number of accounts, which lie in sectors 1 to this number.
        opening: Sum of the balances the accounts were opened with.
    """

    database_id: bytes
    sectors: int
    kind: str
    written: int = 0
    accounts: int = 0
    opening: int = 0


def encode_sector(database_id: bytes, number: int, payload: bytes) -> bytes:
    """Wrap a payload of at most 480 bytes into the 512 bytes of one sector.

    Raises:
        ValueError: The payload is too long.
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
        DamagedSectorError: The sector is damaged, belongs to another place or to another database.
    """
    if sector == _NEVER_WRITTEN:
        return None
    found_number, found_id, payload = _unwrap(sector, number)
    if found_id != database_id:
        raise DamagedSectorError(f"sector {number} belongs to another database")
    if found_number != number:
        raise DamagedSectorError(f"sector {number} holds sector {found_number}")
    return payload


def encode_header(header: Header) -> bytes:
    """Make sector 0 of a database."""
    numbers = (header.sectors, header.written, header.accounts, header.opening)
    payload = _HEADER.pack(_VERSION, header.kind.encode(), *numbers)
    return encode_sector(header.database_id, 0, payload)


def decode_header(sector: bytes) -> Header:
    """Read sector 0 of a database.

    Raises:
        NotADatabase: It is no header, or a damaged one.
    """
    try:
        number, database_id, payload = _unwrap(sector, 0)
    except DamagedSectorError as error:
        raise NotADatabase(f"not a database: {error}") from None
    version, kind, *numbers = _HEADER.unpack_from(payload)
    if (number, version) != (0, _VERSION) or kind.rstrip(b"\0").decode("latin-1") not in KINDS:
        raise NotADatabase("not a database: no header of a known kind and version")
    sectors, written, accounts, opening = numbers
    return Header(database_id, sectors, kind.rstrip(b"\0").decode(), written, accounts, opening)


def read_header(fd: int) -> Header:
    """Read the header of the database that is open as `fd`; the file's position stays.

    Raises:
        NotADatabase: The file is anything else. Its length is not looked at.
    """
    return decode_header(os.pread(fd, SECTOR, 0))


def _unwrap(sector: bytes, number: int) -> tuple[int, bytes, bytes]:
    """Return number, database id and payload of a sector whose checksum is right."""
    if len(sector) != SECTOR:
        raise DamagedSectorError(f"sector {number} has {len(sector)} bytes, not {SECTOR}")
    magic, checksum = _FRAME.unpack_from(sector)
    if magic != _MAGIC or checksum != zlib.crc32(sector[_FRAME.size :]):
        raise DamagedSectorError(f"sector {number} fails its checksum")
    number, database_id, payload = _BODY.unpack_from(sector, _FRAME.size)
    return number, database_id, payload
