"""The incremental record file: what was backed up, at which level, and what was in it.

Invented here, and described in `simulator/IMAGE_FORMAT.md`; the real utility's file is unknown.
"""

from __future__ import annotations

import hashlib
import os
import struct
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from csf_simulator.image.base import HIGHEST_LEVEL
from csf_simulator.image.checksums import PACKED_PAGE, Checksums

MAGIC = b"\x89OSR\r\n\x1a\n"  # as the image's
VERSION = 1

_HEADER = struct.Struct("<8sII")
_ENTRY = struct.Struct("<16s8sqQQII")
HEADER_SIZE = _HEADER.size
ENTRY_SIZE = _ENTRY.size
SEAL = 32  # bytes


class RecordError(ValueError):
    """A file is damaged, or is no record file."""


class RecordedState(NamedTuple):
    """One database in one backup.

    Attributes:
        path: its absolute path.
        database_id: 16 bytes.
        image_id: 8 bytes.
        level: level it was saved at, 0 for the whole of it.
        time: seconds since 1970, for people; the order of the entries decides.
        sectors: its length in sectors of 512 bytes.
        checksums: what was in it.
    """

    path: str
    database_id: bytes
    image_id: bytes
    level: int
    time: int
    sectors: int
    checksums: Checksums


def pack_entries(entries: Iterable[RecordedState]) -> bytes:
    """Make the contents of a record file."""
    packed = [_pack(entry) for entry in entries]
    contents = _HEADER.pack(MAGIC, VERSION, len(packed)) + b"".join(packed)
    return contents + _seal(contents)


def unpack_entries(contents: bytes) -> list[RecordedState]:
    """Read the contents of a record file.

    Raises:
        RecordError: they are damaged, those of something else, or of a newer format.
    """
    if len(contents) < HEADER_SIZE + SEAL or not contents.startswith(MAGIC):
        raise RecordError("not an incremental record file")
    if _seal(contents[:-SEAL]) != contents[-SEAL:]:
        raise RecordError("the incremental record file is damaged")
    _, version, count = _HEADER.unpack_from(contents)
    if version != VERSION:
        raise RecordError(f"a record file of format {version}; this program reads {VERSION}")
    try:
        entries = list(_unpack(memoryview(contents)[HEADER_SIZE:-SEAL]))
    except struct.error:
        raise RecordError("the incremental record file has an impossible entry") from None
    if len(entries) != count or any(entry.level > HIGHEST_LEVEL for entry in entries):
        raise RecordError("the incremental record file has an impossible entry")
    return entries


def _pack(entry: RecordedState) -> bytes:
    """Make one entry."""
    name, pages = os.fsencode(entry.path), b"".join(entry.checksums.pages())
    fields = (entry.database_id, entry.image_id, entry.time, entry.sectors)
    return _ENTRY.pack(*fields, len(pages), len(name), entry.level) + name + pages


def _unpack(contents: memoryview) -> Iterator[RecordedState]:
    """Yield the entries, one after another.

    Raises:
        struct.error: one is longer than what is left.
    """
    while contents:
        fields = _ENTRY.unpack_from(contents)
        database_id, image_id, time, sectors, length, name_length, level = fields
        layout = struct.Struct(f"{name_length}s{length}s")
        name, pages = layout.unpack_from(contents, ENTRY_SIZE)
        checksums = Checksums()
        for start in range(0, length, PACKED_PAGE):
            checksums.add_page(pages[start : start + PACKED_PAGE])
        yield RecordedState(
            os.fsdecode(name), database_id, image_id, level, time, sectors, checksums
        )
        contents = contents[ENTRY_SIZE + layout.size :]


def _seal(contents: bytes) -> bytes:
    """Return the checksum that ends a file with these contents."""
    return hashlib.blake2b(contents, digest_size=SEAL).digest()
