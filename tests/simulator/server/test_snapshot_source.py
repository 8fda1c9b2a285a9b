"""Databases as they were when a snapshot was taken."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from imaging import make_database

from csf_simulator.database.header import NotADatabase
from csf_simulator.database.sectors import SECTOR
from csf_simulator.server.snapshot_file import SnapshotFile
from csf_simulator.server.snapshot_source import SnapshotSource, take_snapshot


@pytest.fixture
def paths(tmp_path: Path) -> list[str]:
    """Two databases, the first of them without data."""
    data = {1: os.urandom(7 * SECTOR)}
    made = make_database(tmp_path / "a.db", 5), make_database(tmp_path / "b.db", 8, data)
    return [str(path) for path in made]


@pytest.fixture
def fd(tmp_path: Path) -> Iterator[int]:
    """The file of a snapshot, still empty."""
    fd = os.open(tmp_path / "snapshot", os.O_RDWR | os.O_CREAT)
    yield fd
    os.close(fd)


def read(source: SnapshotSource, first: int, count: int) -> bytes:
    """Read sectors."""
    source.read(first, view := memoryview(bytearray(count * SECTOR)))
    return bytes(view)


def test_a_snapshot_tells_of_its_databases(fd: int, paths: list[str]) -> None:
    """They come in the order in which they were named."""
    sources = take_snapshot(fd, paths)
    assert [(source.path, source.sectors) for source in sources] == [(paths[0], 5), (paths[1], 8)]
    for source in sources:
        content = Path(source.path).read_bytes()
        assert source.database_id in content[:SECTOR]
        assert list(source.extents()) == [(0, source.sectors)]
        assert read(source, 0, source.sectors) == content


def test_what_was_saved_is_read_and_what_was_read_is_archived(fd: int, paths: list[str]) -> None:
    """Positions continue from one database to the next."""
    source = take_snapshot(fd, paths)[1]
    snapshot = SnapshotFile(fd)
    snapshot.save(5 + 3, b"x" * SECTOR)
    assert read(source, 2, 3)[SECTOR:-SECTOR] == b"x" * SECTOR
    needed = [position for position in range(5 + 8) if snapshot.needs(position)]
    assert needed == [0, 1, 2, 3, 4, 5, 6, 10, 11, 12]


def test_a_void_snapshot_cannot_be_read(fd: int, paths: list[str], tmp_path: Path) -> None:
    """A before-image may be missing, so nothing that is read can be trusted."""
    source = take_snapshot(fd, paths)[0]
    (tmp_path / "snapshot").unlink()
    with pytest.raises(OSError, match="snapshot is void"):
        read(source, 0, 1)


def test_what_is_no_database_has_no_snapshot(fd: int, paths: list[str], tmp_path: Path) -> None:
    """All databases are checked before anything is written."""
    (tmp_path / "c.db").write_bytes(b"x" * SECTOR)
    with pytest.raises(NotADatabase, match="c.db"):
        take_snapshot(fd, [*paths, str(tmp_path / "c.db")])
    with pytest.raises(FileNotFoundError, match="d.db"):
        take_snapshot(fd, [*paths, str(tmp_path / "d.db")])
    assert os.fstat(fd).st_size == 0
