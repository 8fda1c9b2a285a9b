"""The bytes of a backup image."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from csf_simulator.database.sectors import SECTOR
from csf_simulator.image import layout
from csf_simulator.image.layout import FRAME, ImageError, Record, Volume

small = st.integers(0, 2**32 - 1)
large = st.integers(0, 2**64 - 1)
eight_bytes = st.binary(min_size=8, max_size=8)
kinds = st.sampled_from([layout.INFO, layout.DATABASE, b"abcd", b"WXYZ"])
others = st.builds(
    Record,
    kinds,
    st.integers(0, layout.PAYLOAD_LIMIT),
    large,
    eight_bytes,
    small,
    small,
    large,
    small,
)
data = st.builds(
    lambda sectors, sequence, first: Record(
        layout.DATA, sectors * SECTOR, sequence, b"12345678", 3, sectors, first, 99
    ),
    st.integers(0, FRAME // SECTOR),
    large,
    large,
)
volumes = st.builds(Volume, small, eight_bytes)


def flips(whole: bytes) -> list[bytes]:
    """Return a header with each of its bits flipped."""
    return [
        bytes(byte ^ (1 << bit % 8) if at == bit // 8 else byte for at, byte in enumerate(whole))
        for bit in range(len(whole) * 8)
    ]


@given(volumes)
def test_header_of_a_volume_comes_back(volume: Volume) -> None:
    """What was packed is unpacked, from the bytes the format promises."""
    packed = layout.pack_volume(volume)
    assert (len(packed), packed[:8]) == (28, b"\x89OSI\r\n\x1a\n")
    assert layout.unpack_volume(packed) == volume


@given(others | data)
def test_header_of_a_record_comes_back(record: Record) -> None:
    """What was packed is unpacked, from 48 bytes that begin with the kind."""
    packed = layout.pack_record(record)
    assert (len(packed), packed[:4]) == (48, record.kind)
    assert layout.unpack_record(packed) == record


def test_every_flipped_bit_of_a_volume_header_is_found() -> None:
    """Each bit of it is covered by the checksum."""
    for flipped in flips(layout.pack_volume(Volume(1, b"12345678"))):
        with pytest.raises(ImageError):
            layout.unpack_volume(flipped)


def test_every_flipped_bit_of_a_record_header_is_found() -> None:
    """Each bit of it is covered by the checksum."""
    for flipped in flips(layout.pack_record(Record(b"DATA", 512, 7, b"12345678", 2, 1, 5, 99))):
        with pytest.raises(ImageError, match="damaged"):
            layout.unpack_record(flipped)


def test_something_else_is_no_image() -> None:
    """A file that does not begin like an image is reported as no image, not as damaged."""
    for other in (b"", b"PK\3\4" * 7, b"\x89OSI\n\x1a\n" + bytes(21)):
        with pytest.raises(ImageError, match="not a backup image"):
            layout.unpack_volume(other)


def test_text_mode_transfer_is_no_image() -> None:
    """An image whose line ends were converted is found by its first bytes."""
    converted = layout.pack_volume(Volume(1, b"12345678")).replace(b"\r\n", b"\n")
    with pytest.raises(ImageError, match="not a backup image"):
        layout.unpack_volume(converted)


def test_newer_format_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """The message names the unknown format."""
    with monkeypatch.context() as patch:
        patch.setattr(layout, "VERSION", 2)
        newer = layout.pack_volume(Volume(1, b"12345678"))
    with pytest.raises(ImageError, match="format 2; this program reads format 1"):
        layout.unpack_volume(newer)


def test_half_a_record_header_is_an_image_cut_short() -> None:
    """A volume that ends within a header was cut."""
    with pytest.raises(ImageError, match="cut short"):
        layout.unpack_record(layout.pack_record(Record(b"DONE", 0, 0, b"12345678"))[:-1])


@pytest.mark.parametrize(
    ("kind", "length", "sectors"),
    [
        (layout.DATA, FRAME + SECTOR, FRAME // SECTOR + 1),
        (layout.DATA, SECTOR, 2),
        (layout.DATA, SECTOR - 1, 1),
        (layout.ZERO, 1, 1),
        (layout.NEXT, 1, 0),
        (layout.DONE, 1, 0),
        (layout.DATABASE, 2**32 - 1, 0),
        (b"what", layout.PAYLOAD_LIMIT + 1, 0),
    ],
)
def test_impossible_payload_is_refused_before_it_is_read(
    kind: bytes, length: int, sectors: int
) -> None:
    """A header, however sound, cannot make a reader allocate what no record needs."""
    header = layout.pack_record(Record(kind, length, 0, b"12345678", 0, sectors))
    with pytest.raises(ImageError, match="cannot have"):
        layout.unpack_record(header)
