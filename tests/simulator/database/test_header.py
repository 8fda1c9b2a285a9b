"""The header of a simulated database."""

from __future__ import annotations

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st
from imaging import flipped

from csf_simulator.database.header import (
    KINDS,
    Header,
    NotADatabase,
    decode_header,
    encode_header,
    read_header,
)
from csf_simulator.database.sectors import (
    SECTOR,
    encode_sector,
)

ID = bytes(range(16))
IDS = st.binary(min_size=16, max_size=16)
NUMBERS = st.integers(0, 2**64 - 1)
COUNTS = st.integers(0, 2**32 - 1)
HEADERS = st.builds(
    Header, IDS, NUMBERS, st.sampled_from(KINDS), NUMBERS, COUNTS, st.integers(-(2**63), 2**63 - 1)
)


@given(header=HEADERS)
def test_a_header_survives(header: Header) -> None:
    """A header is read as it was written."""
    assert decode_header(encode_header(header)) == header


@pytest.mark.parametrize(
    ("sector", "fault"),
    [
        (b"", "has 0 bytes"),
        (bytes(SECTOR), "fails its checksum"),
        (b"#!/bin/sh\n".ljust(SECTOR), "fails its checksum"),
        (encode_sector(ID, 1, encode_header(Header(ID, 1, "class"))[32:]), "no header"),
        (encode_header(Header(ID, 1, "future")), "no header of a known kind"),
        (encode_sector(ID, 0, b"\2" + encode_header(Header(ID, 1, "class"))[33:]), "no header"),
        (encode_sector(ID, 0, b"\1\0\0\0" + b"\xff" * 8), "no header"),
    ],
    ids=["empty", "zeros", "other file", "not the first", "kind", "version", "kind not ascii"],
)
def test_anything_else_is_no_header(sector: bytes, fault: str) -> None:
    """Sector 0 of anything but a database of this version is refused."""
    with pytest.raises(NotADatabase, match=fault):
        decode_header(sector)


def test_every_bit_flip_in_a_header_is_found() -> None:
    """A header with any bit changed is not taken for a header."""
    sector = encode_header(Header(ID, 17, "class", 16, 16, 16000))
    for bit in range(SECTOR * 8):
        with pytest.raises(NotADatabase):
            decode_header(flipped(sector, bit))


def test_a_header_is_read_wherever_the_file_stands(tmp_path: os.PathLike[str]) -> None:
    """Reading the header neither uses nor changes the position in the file."""
    path = os.path.join(tmp_path, "a.db")
    header = Header(ID, 2, "schema", 1)
    with open(path, "w+b") as file:
        file.write(encode_header(header) + encode_sector(ID, 1, b"x"))
        file.flush()
        assert read_header(file.fileno()) == header
        assert file.tell() == 2 * SECTOR
