"""Build new database files."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from typing import BinaryIO

from csf_simulator.database.header import Header, encode_header
from csf_simulator.database.sectors import PAYLOAD, SECTOR, encode_sector

_BUFFER = 1 << 18
_RANDOM_SECTORS = 256


def build(
    path: str, header: Header, payloads: Iterable[bytes] = (), *, durable: bool = True
) -> Header:
    """Write a new database; a failure leaves nothing behind.

    Args:
        path: where to write it; there must be nothing there.
        header: its identity and kind; `sectors` is the least length, reached by a hole.
        payloads: contents of sectors 1, 2, ..., at most 480 bytes each.
        durable: flush the file to the disk before returning.

    Returns:
        The header as written, with the true numbers of sectors.

    Raises:
        FileExistsError: there is something at `path`.
    """
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o666)
    try:
        with open(fd, "wb", buffering=_BUFFER) as file:
            header = _fill(file, header, payloads)
            file.flush()
            if durable:
                os.fsync(fd)
    except BaseException:
        os.unlink(path)
        raise
    return header


def random_payloads(count: int) -> Iterator[bytes]:
    """Yield `count` payloads that no compressor makes smaller."""
    for first in range(0, count, _RANDOM_SECTORS):
        block = os.urandom(min(_RANDOM_SECTORS, count - first) * PAYLOAD)
        for offset in range(0, len(block), PAYLOAD):
            yield block[offset : offset + PAYLOAD]


def _fill(file: BinaryIO, header: Header, payloads: Iterable[bytes]) -> Header:
    """Write the sectors, then the header, so that a killed process leaves no valid database."""
    file.seek(SECTOR)
    written = 0
    for written, payload in enumerate(payloads, 1):
        file.write(encode_sector(header.database_id, written, payload))
    header = header._replace(sectors=max(header.sectors, written + 1), written=written)
    file.truncate(header.sectors * SECTOR)
    file.seek(0)
    file.write(encode_header(header))
    return header
