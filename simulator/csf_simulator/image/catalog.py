"""The catalog of an image: which databases it holds, as bytes and back."""

from __future__ import annotations

import os
import struct
from typing import NamedTuple

from csf_simulator.image.layout import ImageError

SECTORS_LIMIT = 2**53  # the largest number of sectors whose offset in bytes fits a file offset

_DATABASE = struct.Struct("<16sQ")


class Database(NamedTuple):
    """A database in an image.

    Attributes:
        database_id: 16 bytes.
        sectors: length in sectors of 512 bytes.
        path: absolute path it was backed up from.
    """

    database_id: bytes
    sectors: int
    path: str


def pack_database(database: Database) -> bytes:
    """Make the payload of a DATABASE record."""
    return _DATABASE.pack(database.database_id, database.sectors) + os.fsencode(database.path)


def unpack_database(payload: bytes) -> Database:
    """Read the payload of a DATABASE record.

    Raises:
        ImageError: it does not describe a database.
    """
    if len(payload) <= _DATABASE.size:
        raise ImageError("a database of the image has no name")
    database_id, sectors = _DATABASE.unpack_from(payload)
    path = os.fsdecode(payload[_DATABASE.size :])
    if not 0 < sectors <= SECTORS_LIMIT or not is_listable(path):
        raise ImageError("a database of the image has an impossible name or size")
    return Database(database_id, sectors, path)


def is_listable(path: str) -> bool:
    """Tell whether a path is absolute, in its plainest form, and can be one line of a list."""
    plain = path.startswith("/") and os.path.normpath(path) == path
    return plain and "\n" not in path and "\0" not in path
