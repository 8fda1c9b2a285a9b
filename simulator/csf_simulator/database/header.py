"""The header of a database, its sector 0: what the database says about itself.

Invented here. The header counts the sectors written, so that one lost to zeros is noticed. Its
payload, little endian::

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
from typing import NamedTuple

from csf_simulator.database.sectors import SECTOR, DamagedSectorError, encode_sector, unwrap

KINDS = ("master", "schema", "class")

_VERSION = 1
_HEADER = struct.Struct("<I8sQQIq")


class NotADatabase(ValueError):
    """A file does not begin with the header of a database."""


class WrongLength(NotADatabase):
    """A database does not have the length that its header says."""


class Header(NamedTuple):
    """What a database says about itself in its sector 0.

    Attributes:
        database_id: 16 random bytes; a copy of a database keeps them.
        sectors: length of the file in sectors of 512 bytes, the header included.
        kind: "master", "schema" or "class".
        written: number of sectors ever written, the header not included.
        accounts: number of accounts, which lie in sectors 1 to this number.
        opening: sum of the balances the accounts were opened with.
    """

    database_id: bytes
    sectors: int
    kind: str
    written: int = 0
    accounts: int = 0
    opening: int = 0


def encode_header(header: Header) -> bytes:
    """Make sector 0 of a database."""
    numbers = (header.sectors, header.written, header.accounts, header.opening)
    payload = _HEADER.pack(_VERSION, header.kind.encode(), *numbers)
    return encode_sector(header.database_id, 0, payload)


def decode_header(sector: bytes) -> Header:
    """Read sector 0 of a database.

    Raises:
        NotADatabase: it is no header, or a damaged one.
    """
    try:
        number, database_id, payload = unwrap(sector, 0)
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
        NotADatabase: the file is anything else. Its length is not checked.
    """
    return decode_header(os.pread(fd, SECTOR, 0))
