"""The bytes of an incremental record file."""

from __future__ import annotations

import hashlib
import os
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from csf_simulator.image.checksums import Checksums
from csf_simulator.image.record_format import (
    ENTRY_SIZE,
    HEADER_SIZE,
    SEAL,
    RecordedState,
    RecordError,
    pack_entries,
    unpack_entries,
)


def make_entry(
    name: bytes = b"/a.db", level: int = 0, time: int = 0, pieces: frozenset[int] = frozenset()
) -> RecordedState:
    """Return an entry with a checksum for each of the pieces."""
    checksums = Checksums()
    for piece in pieces:
        checksums.put(piece, b"checksum")
    return RecordedState(os.fsdecode(name), b"i" * 16, b"image id", level, time, 7, checksums)


entries = st.lists(
    st.builds(
        make_entry,
        st.binary(min_size=1, max_size=20),
        st.integers(0, 9),
        st.integers(-(2**63), 2**63 - 1),
        st.frozensets(st.integers(0, 2**50), max_size=3),
    ),
    max_size=4,
)
SMALL = pack_entries([make_entry(), make_entry(b"/b.db", 1, 2, frozenset({3}))])


def plain(found: list[RecordedState]) -> list[tuple[object, ...]]:
    """Return entries as something that can be compared."""
    return [(*entry[:-1], list(entry.checksums.pages())) for entry in found]


def reseal(contents: bytes) -> bytes:
    """Return a file with the seal of its contents."""
    return contents[:-SEAL] + hashlib.blake2b(contents[:-SEAL], digest_size=SEAL).digest()


@given(entries)
def test_any_record_comes_back(record: list[RecordedState]) -> None:
    """What was packed is unpacked, whatever the names."""
    assert plain(unpack_entries(pack_entries(record))) == plain(record)


def test_every_truncation_is_found() -> None:
    """A record cut anywhere, or continued, is refused."""
    for length in range(len(SMALL)):
        with pytest.raises(RecordError):
            unpack_entries(SMALL[:length])
    with pytest.raises(RecordError):
        unpack_entries(SMALL + b"\0")


def test_every_flipped_bit_is_found() -> None:
    """Each bit of it is covered by the checksum."""
    for bit in range(len(SMALL) * 8):
        flipped = bytearray(SMALL)
        flipped[bit // 8] ^= 1 << bit % 8
        with pytest.raises(RecordError):
            unpack_entries(bytes(flipped))


@pytest.mark.parametrize("contents", [b"", b"hello\n" * 100, bytes(4096)])
def test_something_else_is_no_record(contents: bytes) -> None:
    """A file that does not begin like a record is reported as no record, not as damaged."""
    with pytest.raises(RecordError, match="not an incremental record file"):
        unpack_entries(contents)


def test_newer_format_is_named() -> None:
    """The error for a record of a newer format names both formats."""
    newer = SMALL[:8] + struct.pack("<I", 2) + SMALL[12:]
    with pytest.raises(RecordError, match="format 2"):
        unpack_entries(reseal(newer))


def test_impossible_entries_are_refused() -> None:
    """A record from a faulty writer is not trusted."""
    one_more = SMALL[:12] + struct.pack("<I", 3) + SMALL[16:]
    shorter = SMALL[: HEADER_SIZE + ENTRY_SIZE - 1] + bytes(SEAL)
    too_high = pack_entries([make_entry(level=10)])
    for contents in (one_more, shorter, too_high):
        with pytest.raises(RecordError, match="impossible"):
            unpack_entries(reseal(contents))
