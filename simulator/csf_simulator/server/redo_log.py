"""The redo log: what a transaction is about to do, so that the next process can finish it.

It also says what was there before, in case the changes cannot be made.

Invented here. A log is a row of records, each behind its own checksum; little endian::

     0   4  CRC-32 of the rest of the record
     4   1  kind: "S" sector, "D" new database, "L" length before, "B" sector before, "C" commit
     5   8  number of the sector; in a length, the bytes of the database's file; in a commit, number
            of the records before it
    13   4  length of the path
    17   4  length of the content
    21      path; content: the sector's 512 bytes, or the name the new database was built under

The length of a database comes before the sectors it had.

Only a log that ends with its commit counts: without it, the transaction never committed.
"""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Iterator

from csf_simulator.database.changes import Before, Changes

_CHECKSUM = struct.Struct("<I")
_FIELDS = struct.Struct("<cQII")
_PATH = _CHECKSUM.size + _FIELDS.size


def encode_log(changes: Changes) -> bytes:
    """Make the log of one transaction, its commit included."""
    records = [
        _record(b"S", number, path, content)
        for path, sectors in changes.sectors.items()
        for number, content in sectors.items()
    ]
    for path, unfinished in changes.databases.items():
        records.append(_record(b"D", 0, path, os.fsencode(unfinished)))
    for path, before in changes.before.items():
        records.append(_record(b"L", before.size, path, b""))
        records += [_record(b"B", number, path, old) for number, old in before.sectors.items()]
    return b"".join([*records, _record(b"C", len(records), "", b"")])


def decode_log(log: bytes) -> Changes | None:
    """Return what a committed log says, None for a log without its commit."""
    changes = Changes({}, {}, {})
    for count, (kind, number, path, content) in enumerate(_records(log)):
        if kind == b"C":
            return changes if number == count else None
        if kind == b"S":
            changes.sectors.setdefault(path, {})[number] = content
        elif kind == b"D":
            changes.databases[path] = os.fsdecode(content)
        elif kind == b"L":
            changes.before[path] = Before(number, {})
        else:
            changes.before[path].sectors[number] = content
    return None


def _record(kind: bytes, number: int, path: str, content: bytes) -> bytes:
    name = os.fsencode(path)
    body = _FIELDS.pack(kind, number, len(name), len(content)) + name + content
    return _CHECKSUM.pack(zlib.crc32(body)) + body


def _records(log: bytes) -> Iterator[tuple[bytes, int, str, bytes]]:
    """Yield kind, number, path and content of each record, up to the first damaged one."""
    start = 0
    while start + _PATH <= len(log):
        (checksum,) = _CHECKSUM.unpack_from(log, start)
        kind, number, path_length, length = _FIELDS.unpack_from(log, start + _CHECKSUM.size)
        content = start + _PATH + path_length
        end = content + length
        if end > len(log) or checksum != zlib.crc32(log[start + _CHECKSUM.size : end]):
            return
        yield kind, number, os.fsdecode(log[start + _PATH : content]), log[content:end]
        start = end
