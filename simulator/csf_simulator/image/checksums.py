"""Checksums of the pieces of a database: how a later backup knows what changed.

Invented here: how the real utility knows is not known. A piece is 16 KiB and its checksum 8 bytes
of BLAKE2b, 0.05 % of the data. CRC-32 would not do: a change that it cannot see is left out of a
backup, and of each 4 billion changes it misses one. Pieces of zeros have none, so that holes cost
nothing.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterator

from csf_simulator.database.sectors import SECTOR
from csf_simulator.database.sources import Source
from csf_simulator.image.layout import FRAME, PIECE
from csf_simulator.image.pieces import InPieces

PIECE_SECTORS = PIECE // SECTOR
CHECKSUM = 8  # bytes
DIGEST = 16  # bytes
PAGE = 64  # checksums that are kept together

_NUMBER = struct.Struct("<Q")
PACKED_PAGE = _NUMBER.size + PAGE * CHECKSUM  # bytes


class Checksums:
    """The checksums of a database, by number of the piece; several threads may put them in."""

    def __init__(self) -> None:
        self._pages: dict[int, bytearray] = {}

    def put(self, piece: int, checksum: bytes) -> None:
        """Keep the checksum of a piece."""
        page = self._pages.setdefault(piece // PAGE, bytearray(PAGE * CHECKSUM))
        start = piece % PAGE * CHECKSUM
        page[start : start + CHECKSUM] = checksum

    def has(self, piece: int, checksum: bytes) -> bool:
        """Tell whether a piece has this checksum."""
        page = self._pages.get(piece // PAGE)
        return page is not None and page.startswith(checksum, piece % PAGE * CHECKSUM)

    def digest(self, sectors: int) -> bytes:
        """Return 16 bytes that tell a database of so many sectors from all others."""
        whole = hashlib.blake2b(_NUMBER.pack(sectors), digest_size=DIGEST)
        for page in self.pages():
            whole.update(page)
        return whole.digest()

    def pages(self) -> Iterator[bytes]:
        """Yield the checksums in pages of PACKED_PAGE bytes, in order."""
        for number, page in sorted(self._pages.items()):
            yield _NUMBER.pack(number) + page

    def add_page(self, page: bytes) -> None:
        """Add the checksums of a page that `pages` yielded."""
        self._pages[_NUMBER.unpack_from(page)[0]] = bytearray(page[_NUMBER.size :])


def checksum_of(piece: bytes | memoryview) -> bytes:
    """Return the checksum of a piece that is not all zeros."""
    return hashlib.blake2b(piece, digest_size=CHECKSUM).digest()


def checksums_of(source: Source) -> Checksums:
    """Read a whole database and return its checksums.

    Raises:
        OSError: it cannot be read, or changed its length or place meanwhile.
    """
    checksums, buffer = Checksums(), bytearray(FRAME)
    for first, count in InPieces(source).extents():
        for start in range(first, first + count, FRAME // SECTOR):
            sectors = min(FRAME // SECTOR, first + count - start)
            view = memoryview(buffer)[: sectors * SECTOR]
            source.read(start, view)
            _put_all(checksums, start // PIECE_SECTORS, bytes(view))
    return checksums


def _put_all(checksums: Checksums, number: int, data: bytes) -> None:
    """Keep the checksums of consecutive pieces."""
    for start in range(0, len(data), PIECE):
        piece = data[start : start + PIECE]
        if piece != bytes(len(piece)):
            checksums.put(number + start // PIECE, checksum_of(piece))
