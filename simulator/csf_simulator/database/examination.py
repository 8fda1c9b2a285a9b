"""Examine one database, sector by sector, for damage."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import NamedTuple

from csf_simulator.database.file_source import FileSource
from csf_simulator.database.header import Header, NotADatabase, read_header
from csf_simulator.database.sectors import SECTOR, DamagedSectorError, decode_sector

_SECTORS_AT_ONCE = 2048
_FAULTS_TOLD = 20


class Examination(NamedTuple):
    """What was found in a file that should be a database.

    Attributes:
        header: its header; None if it has none that can be read.
        payloads: by number, the sound sectors that mean something to the repository: all of a
            master database, the accounts of a class database. The rest may be large.
        faults: what is wrong, one sentence each; empty for a sound database.
    """

    header: Header | None
    payloads: dict[int, bytes]
    faults: list[str]


def examine(path: str) -> Examination:
    """Read a whole database except its holes, and return what is wrong with it.

    No transaction may touch the database meanwhile: see `Server.between_transactions`.
    """
    try:
        with open(path, "rb") as file:
            header = read_header(file.fileno())
            size = os.fstat(file.fileno()).st_size
        if size != header.sectors * SECTOR:
            fault = f"has {size} bytes instead of the {header.sectors} sectors of its header"
            return Examination(header, {}, [fault])
        return _examine_sectors(header, FileSource(path))
    except OSError as error:
        return Examination(None, {}, [f"cannot be read: {error.strerror}"])
    except NotADatabase as error:
        return Examination(None, {}, [str(error)])


def _examine_sectors(header: Header, source: FileSource) -> Examination:
    """Check every data sector of a database whose header and length are right."""
    kept = header.sectors if header.kind == "master" else header.accounts + 1
    written, payloads, faults = 0, {}, []
    for number, sector in _data_sectors(source):
        try:
            payload = decode_sector(sector, header.database_id, number)
        except DamagedSectorError as error:
            faults.append(str(error))
            payload = b""
        written += payload is not None
        if payload and number < kept:
            payloads[number] = payload
    if written != header.written:
        faults.append(
            f"has {written} written sectors instead of the {header.written} of its header"
        )
    return Examination(header, payloads, _shortened(faults))


def _data_sectors(source: FileSource) -> Iterator[tuple[int, bytes]]:
    """Yield number and content of each sector except the header and those in holes."""
    for first, count in source.extents():
        for start in range(first, first + count, _SECTORS_AT_ONCE):
            block = bytearray(SECTOR * min(_SECTORS_AT_ONCE, first + count - start))
            source.read(start, memoryview(block))
            for number in range(max(start, 1), start + len(block) // SECTOR):
                offset = (number - start) * SECTOR
                yield number, bytes(block[offset : offset + SECTOR])


def _shortened(faults: list[str]) -> list[str]:
    """Shorten the list of faults of a database that is damaged everywhere."""
    rest = len(faults) - _FAULTS_TOLD
    return faults if rest <= 0 else [*faults[:_FAULTS_TOLD], f"and {rest} more faults"]
