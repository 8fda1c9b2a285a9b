"""The databases an image says it holds."""

from __future__ import annotations

import os
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from csf_simulator.image.catalog import Database, is_listable, pack_database, unpack_database
from csf_simulator.image.layout import ImageError

# Any bytes that a file's name can have, except "." and "..", which name directories.
names = st.binary(min_size=1, max_size=255).filter(
    lambda name: not set(b"/\n\0") & set(name) and name.strip(b".")
)
paths = st.lists(names, min_size=1, max_size=5).map(lambda parts: b"/" + b"/".join(parts))


@given(st.binary(min_size=16, max_size=16), st.integers(1, 2**53), paths)
def test_database_comes_back(database_id: bytes, sectors: int, path: bytes) -> None:
    """Id, length and path survive, whatever bytes the path has."""
    database = Database(database_id, sectors, os.fsdecode(path))
    packed = pack_database(database)
    assert unpack_database(packed) == database
    assert packed == database_id + struct.pack("<Q", sectors) + path


@pytest.mark.parametrize("sectors", [0, 2**53 + 1, 2**64 - 1])
def test_impossible_length_is_refused(sectors: int) -> None:
    """No file can be empty and a database, nor longer than offsets count."""
    with pytest.raises(ImageError, match="impossible"):
        unpack_database(pack_database(Database(bytes(16), sectors, "/a")))


@pytest.mark.parametrize("path", ["a", "./a", "/a/", "/a/../b", "/a//b", "/a\nb", "/a\0b"])
def test_impossible_path_is_refused(path: str) -> None:
    """A path must be absolute, in its plainest form, and a line of a list."""
    assert not is_listable(path)
    with pytest.raises(ImageError, match="impossible"):
        unpack_database(pack_database(Database(bytes(16), 1, path)))


@pytest.mark.parametrize("length", [0, 23, 24])
def test_nameless_database_is_refused(length: int) -> None:
    """A payload too short for a path is not a database."""
    with pytest.raises(ImageError, match="no name"):
        unpack_database(bytes(length))
