"""What an incremental image is restored over."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from imaging import MemoryVolume, make_database

from csf_simulator.database.file_source import FileSource
from csf_simulator.database.sectors import SECTOR
from csf_simulator.image.base import Base
from csf_simulator.image.checksums import checksums_of
from csf_simulator.image.layout import FRAME, SAME, ZERO, Record
from csf_simulator.image.scanner import Frame
from csf_simulator.program.errors import UtilityError
from csf_simulator.utilities.incremental_loading import IncrementalLoader


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return a database."""
    return make_database(tmp_path / "a.db", 40, {1: os.urandom(30 * SECTOR)})


@pytest.fixture
def base(path: Path) -> Base:
    """Return the state the database is in."""
    digest = checksums_of(FileSource(str(path))).digest(40)
    return Base(2, 1, b"\1\2\3\4\5\6\7\x08", 40, digest)


def frame(kind: bytes, database: int) -> Frame:
    """Return a record of sectors 2 to 4 of a database."""
    return Frame(Record(kind, 0, 0, b"image id", database, 3, 2), MemoryVolume(b""), 0)


def test_unchanged_sectors_come_from_the_target(path: Path, base: Base) -> None:
    """Sectors of a database that is not restored are not read, nor are zeros."""
    foundations, buffer = IncrementalLoader({1: base, 2: base}, {1: str(path)}), bytearray(FRAME)
    assert foundations.load(frame(SAME, 1), buffer) == path.read_bytes()[2 * SECTOR : 5 * SECTOR]
    assert len(foundations.load(frame(SAME, 2), buffer)) == 0
    assert len(foundations.load(frame(ZERO, 1), buffer)) == 0


@pytest.mark.parametrize("change", ["flip", "grow", "shrink", "remove", "spoil"])
def test_target_in_another_state_is_refused(path: Path, base: Base, change: str) -> None:
    """The message names the image that must be restored first."""
    contents = bytearray(path.read_bytes())
    if change == "flip":
        contents[-1] ^= 1
        path.write_bytes(contents)
    elif change == "grow":
        make_database(path, 41, {1: bytes(contents[SECTOR:])})
    elif change == "shrink":
        make_database(path, 39, {1: bytes(contents[SECTOR:-SECTOR])})
    elif change == "remove":
        path.unlink()
    else:
        path.write_bytes(b"hello")
    with pytest.raises(UtilityError, match="image 0102030405060708 of level 1") as caught:
        IncrementalLoader({0: base}, {0: str(path)})
    assert caught.value.text.startswith(f"{path}: not as")
    assert caught.value.name == "err_inconsistent_db"
