"""Checksums of databases."""

from __future__ import annotations

import os
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st
from imaging import make_database

from csf_simulator.database.file_source import FileSource
from csf_simulator.database.sectors import SECTOR
from csf_simulator.image.checksums import PACKED_PAGE, Checksums, checksum_of, checksums_of
from csf_simulator.image.layout import FRAME, PIECE

sums = st.dictionaries(st.integers(0, 10**12), st.binary(min_size=8, max_size=8), max_size=20)


def filled(contents: dict[int, bytes]) -> Checksums:
    """Return checksums put in one after another."""
    checksums = Checksums()
    for piece, checksum in contents.items():
        checksums.put(piece, checksum)
    return checksums


@given(sums, sums)
def test_what_was_put_in_is_there_and_nothing_else(
    contents: dict[int, bytes], others: dict[int, bytes]
) -> None:
    """A piece has its own checksum, also after a way through pages."""
    checksums = Checksums()
    for page in filled(contents).pages():
        assert len(page) == PACKED_PAGE
        checksums.add_page(page)
    for piece, checksum in contents.items():
        assert checksums.has(piece, checksum)
        assert not checksums.has(piece, bytes(byte ^ 1 for byte in checksum))
    for piece in others.keys() - contents.keys():
        assert not checksums.has(piece, b"no check")


@given(sums, st.integers(1, 2**53))
def test_digest_depends_on_everything_but_the_order(
    contents: dict[int, bytes], sectors: int
) -> None:
    """The threads may take turns in any order; any other difference shows."""
    digest = filled(contents).digest(sectors)
    assert len(digest) == 16
    assert filled(dict(reversed(contents.items()))).digest(sectors) == digest
    assert filled(contents).digest(sectors + 1) != digest
    assert filled({**contents, 5: b"\1" * 8}).digest(sectors) != digest or 5 in contents


def test_every_piece_with_data_has_its_checksum(tmp_path: Path) -> None:
    """Holes and zeros have none; the last piece may be short, stretches longer than a frame."""
    data = os.urandom(FRAME) + bytes(2 * PIECE) + os.urandom(PIECE + SECTOR)
    first = 3 * PIECE // SECTOR
    path = make_database(tmp_path / "a.db", first + len(data) // SECTOR, {first: data})
    whole = path.read_bytes()
    expected = Checksums()
    for number in range(-(-len(whole) // PIECE)):
        piece = whole[number * PIECE : (number + 1) * PIECE]
        if any(piece):
            expected.put(number, checksum_of(piece))
    found = checksums_of(FileSource(str(path)))
    assert list(found.pages()) == list(expected.pages())


def test_sparse_database_has_few_checksums(tmp_path: Path) -> None:
    """A terabyte of nothing costs nothing."""
    path = make_database(tmp_path / "a.db", 2**31, {2**30: b"x" * SECTOR})
    assert len(list(checksums_of(FileSource(str(path))).pages())) == 2
