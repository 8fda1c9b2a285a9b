"""The sectors of a simulated database."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from imaging import flipped

from csf_simulator.database.sectors import (
    PAYLOAD,
    SECTOR,
    DamagedSectorError,
    decode_sector,
    encode_sector,
)

ID = bytes(range(16))
IDS = st.binary(min_size=16, max_size=16)
NUMBERS = st.integers(0, 2**64 - 1)


@given(database_id=IDS, number=NUMBERS, payload=st.binary(max_size=PAYLOAD))
def test_what_is_encoded_is_decoded(database_id: bytes, number: int, payload: bytes) -> None:
    """A sector gives back its payload, filled up with zeros to 480 bytes."""
    sector = encode_sector(database_id, number, payload)
    assert len(sector) == SECTOR
    assert decode_sector(sector, database_id, number) == payload.ljust(PAYLOAD, b"\0")


def test_zeros_were_never_written() -> None:
    """A sector of zeros is one that was never written, in any database and any place."""
    assert decode_sector(bytes(SECTOR), ID, 7) is None


def test_an_empty_payload_is_not_the_same_as_never_written() -> None:
    """A sector written without contents differs from one never written."""
    assert decode_sector(encode_sector(bytes(16), 0, b""), bytes(16), 0) == bytes(PAYLOAD)


def test_a_payload_too_long_is_refused() -> None:
    """More than 480 bytes are not truncated silently."""
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
