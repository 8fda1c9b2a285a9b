"""What an incremental backup builds upon, and what is recorded of it."""

from __future__ import annotations

from pathlib import Path

import pytest
from imaging import make_database

from csf_simulator.database.file_source import FileSource
from csf_simulator.database.sectors import SECTOR
from csf_simulator.image.checksums import checksum_of, checksums_of
from csf_simulator.image.increment import Increment
from csf_simulator.image.record_format import RecordedState


@pytest.fixture
def source(tmp_path: Path) -> FileSource:
    """Return a database."""
    return FileSource(str(make_database(tmp_path / "a.db", 3, {1: b"x" * SECTOR})))


def entry(source: FileSource, level: int, image_id: bytes = b"image id") -> RecordedState:
    """Return what a record says of a database."""
    sums = checksums_of(source)
    return RecordedState(source.path, source.database_id, image_id, level, 5, source.sectors, sums)


def test_newest_of_the_lower_levels_is_built_upon(source: FileSource) -> None:
    """Entries at the same or a higher level do not count."""
    record = [entry(source, level, bytes([level]) * 8) for level in (0, 2, 4, 6)]
    chosen = [Increment([source], record, level).bases.get(0) for level in range(10)]
    assert [base and base.base_level for base in chosen] == [None, 0, 0, 2, 2, 4, 4, 6, 6, 6]
    assert chosen[5] is not None
    assert chosen[5] == (5, 4, b"\4" * 8, 3, checksums_of(source).digest(3))


def test_database_without_a_record_is_whole(source: FileSource, tmp_path: Path) -> None:
    """A new database, or one made again under its old name, is saved at level 0."""
    other = FileSource(str(make_database(tmp_path / "b.db", 3)))
    again = entry(source, 0)._replace(database_id=b"another database")
    increment = Increment([source, other], [again], 3)
    assert increment.bases == {}
    recorded = increment.entries(b"new id..", 7)
    assert [(item.path, item.level, item.time) for item in recorded] == [
        (source.path, 0, 7),
        (other.path, 0, 7),
    ]


def test_record_keeps_what_can_be_built_upon(source: FileSource) -> None:
    """Entries at lower levels stay, outdated ones are removed, and other databases' stay."""
    record = [entry(source, level) for level in (0, 1, 2, 3)]
    stranger = entry(source, 5)._replace(path="/stranger.db")
    increment = Increment([source], [*record, stranger], 2)
    recorded = increment.entries(b"new id..", 7)
    assert [(item.path, item.level) for item in recorded] == [
        (source.path, 0),
        (source.path, 1),
        ("/stranger.db", 5),
        (source.path, 2),
    ]
    assert recorded[-1].image_id == b"new id.."


def test_piece_is_the_same_only_where_it_was(source: FileSource) -> None:
    """A piece that was moved, changed or added is new; all pieces are recorded."""
    increment, view = Increment([source], [entry(source, 0)], 1), memoryview(bytearray(3 * SECTOR))
    source.read(0, view)
    assert increment.is_same(0, 0, view)
    assert not increment.is_same(0, 32, view)
    assert not Increment([source], [], 1).is_same(0, 0, view)
    view[SECTOR] ^= 1
    changed = Increment([source], [entry(source, 0)], 1)
    assert not changed.is_same(0, 0, view)
    recorded = changed.entries(b"new id..", 7)[-1].checksums
    assert recorded.has(0, checksum_of(view))
    assert not recorded.has(0, checksum_of(bytes(view[:SECTOR])))
