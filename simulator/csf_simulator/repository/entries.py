"""Entries of a master database: one sector for each other database of its repository.

Invented here. The payload of such a sector, little endian::

     0   16  id of the database
    16    2  length of the file name
    18    2  length of the class name, with which the file name begins; 0: not a class
    20       file name, relative to the directory of the master database
"""

from __future__ import annotations

import os
import struct
from typing import NamedTuple

_ENTRY = struct.Struct("<16sHH")


class Entry(NamedTuple):
    """One database of a repository.

    Attributes:
        database_id: its id, 16 bytes.
        file_name: its name in the directory of the master database.
        class_name: the class it holds; empty for the schema database.
    """

    database_id: bytes
    file_name: str
    class_name: str


def encode_entry(entry: Entry) -> bytes:
    """Make the payload of an entry's sector."""
    name = os.fsencode(entry.file_name)
    length = len(os.fsencode(entry.class_name))
    return _ENTRY.pack(entry.database_id, len(name), length) + name


def decode_entry(payload: bytes) -> Entry:
    """Read the payload of an entry's sector."""
    database_id, length, class_length = _ENTRY.unpack_from(payload)
    name = payload[_ENTRY.size : _ENTRY.size + length]
    return Entry(database_id, os.fsdecode(name), os.fsdecode(name[:class_length]))
