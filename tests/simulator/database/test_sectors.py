"""The file format of simulated databases."""

from __future__ import annotations

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from csf_simulator.database.sectors import (
    KINDS,
    PAYLOAD,
    SECTOR,
    DamagedSectorError,
    Header,
    NotADatabase,
    decode_header,
    decode_sector,
    encode_header,
    encode_sector,
    read_header,
)

ID = bytes(range(16))
IDS = st.binary(min_size=16, max_size=16)
NUMBERS = st.integers(0, 2**64 - 1)
COUNTS = st.integers(0, 2**32 - 1)
HEADERS = st.builds(
    Header, IDS, NUMBERS, st.sampled_from(KINDS), NUMBERS, COUNTS, st.integers(-(2**63), 2**63 - 1)
)


def flipped(sector: bytes, bit: int) -> bytes:
    """Return a sector with one bit changed."""
    damaged = bytearray(sector)
    damaged[bit // 8] ^= 1 << bit % 8
    return bytes(damaged)


@given(database_id=IDS, number=NUMBERS, payload=st.binary(max_size=PAYLOAD))
def test_what_is_encoded_is_decoded(database_id: bytes, number: int, payload: bytes) -> None:
    """A sector gives back its payload, filled up with zeros to 480 bytes."""
    sector = encode_sector(database_id, number, payload)
    assert len(sector) == SECTOR
    assert decode_sector(sector, database_id, number) == payload.ljust(PAYLOAD, b"\0")


@given(header=HEADERS)
def test_a_header_survives(header: Header) -> None:
    """A header is read as it was written."""
    assert decode_header(encode_header(header)) == header


def test_zeros_were_never_written() -> None:
    """A sector of zeros is one that was never written, in any database and any place."""
    assert decode_sector(bytes(SECTOR), ID, 7) is None


def test_an_empty_payload_is_not_the_same_as_never_written() -> None:
    """A sector written with nothing in it differs from one never written."""
    assert decode_sector(encode_sector(bytes(16), 0, b""), bytes(16), 0) == bytes(PAYLOAD)


def test_a_payload_too_long_is_refused() -> None:
    """More than 480 bytes do not get truncated in silence."""
    with pytest.raises(ValueError, match="481 bytes do not fit"):
        encode_sector(ID, 1, bytes(PAYLOAD + 1))


@pytest.mark.parametrize(
    "sector", [encode_sector(ID, 1, b"payload"), bytes(SECTOR)], ids=["written", "never written"]
)
def test_every_bit_flip_is_found(sector: bytes) -> None:
    """Whichever bit of a sector changes, the sector is damaged."""
    for bit in range(SECTOR * 8):
        with pytest.raises(DamagedSectorError):
            decode_sector(flipped(sector, bit), ID, 1)


@pytest.mark.parametrize(
    ("sector", "fault"),
    [
        (encode_sector(ID, 5, b""), "sector 1 holds sector 5"),
        (encode_sector(bytes(16), 1, b""), "sector 1 belongs to another database"),
        (encode_sector(ID, 1, b"")[:-1], "sector 1 has 511 bytes, not 512"),
        (bytes(SECTOR - 1) + b"\1", "sector 1 fails its checksum"),
    ],
)
def test_a_sector_out_of_place_is_found(sector: bytes, fault: str) -> None:
    """A sound sector in the wrong place is as bad as a damaged one, and the fault says why."""
    with pytest.raises(DamagedSectorError, match=fault):
        decode_sector(sector, ID, 1)


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
    """Reading the header neither uses nor moves the position in the file."""
    path = os.path.join(tmp_path, "a.db")
    header = Header(ID, 2, "schema", 1)
    with open(path, "w+b") as file:
        file.write(encode_header(header) + encode_sector(ID, 1, b"x"))
        file.flush()
        assert read_header(file.fileno()) == header
        assert file.tell() == 2 * SECTOR
