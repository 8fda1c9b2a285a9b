"""The file of a snapshot."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from csf_simulator.database.sectors import SECTOR
from csf_simulator.server.snapshot_file import Place, SnapshotFile, encode_databases
from csf_simulator.system.files import Identity

BIG = (1 << 64) - 1
identities = st.tuples(st.integers(0, BIG), st.integers(0, BIG), st.integers(0, (1 << 32) - 1))
SECTORS = 9


def content(byte: int, sectors: int = 1) -> bytes:
    """Return the content of some sectors."""
    return bytes([byte]) * SECTOR * sectors


@pytest.fixture
def fd(tmp_path: Path) -> Iterator[int]:
    """The file of a snapshot of one database."""
    fd = os.open(tmp_path / "snapshot", os.O_RDWR | os.O_CREAT)
    os.write(fd, encode_databases([((1, 2, 3), Place(0, SECTORS))]))
    yield fd
    os.close(fd)


@pytest.fixture
def snapshot(fd: int) -> SnapshotFile:
    """The same, in use."""
    return SnapshotFile(fd)


@given(st.dictionaries(identities, st.integers(0, 1 << 40), max_size=40), identities)
def test_a_database_is_found_by_its_identity(
    databases: dict[Identity, int], other: Identity
) -> None:
    """Each among any number of others, and none that is not there."""
    fd = os.memfd_create("snapshot")
    try:
        table = [(who, Place(size * 3, size)) for who, size in databases.items()]
        os.write(fd, encode_databases(table))
        snapshot = SnapshotFile(fd)
        assert [snapshot.find(who) for who, _ in table] == [place for _, place in table]
        assert (snapshot.find(other) is None) == (other not in databases)
    finally:
        os.close(fd)


def test_a_sector_is_needed_until_it_is_saved_or_archived(snapshot: SnapshotFile) -> None:
    """Each sector is needed until it is saved or archived, independent of the others."""
    assert all(map(snapshot.needs, range(SECTORS)))
    snapshot.save(2, content(1))
    snapshot.archive(4, 3)
    assert [number for number in range(SECTORS) if snapshot.needs(number)] == [0, 1, 3, 7, 8]


def test_what_was_overwritten_is_put_back(snapshot: SnapshotFile) -> None:
    """Only overwritten sectors are put back, wherever the stretch that is read begins."""
    snapshot.save(3, content(3))
    snapshot.save(5, content(5))
    read = bytearray(content(7, 4))
    snapshot.undo(2, memoryview(read))
    assert read == content(7) + content(3) + content(7) + content(5)


def test_a_save_is_done_again_with_the_same_result(snapshot: SnapshotFile, fd: int) -> None:
    """After a kill between content and mark, the next writer finds the same content."""
    size = os.fstat(fd).st_size
    snapshot.save(0, content(1))
    os.ftruncate(fd, size + SECTORS)  # mark and content are gone
    assert snapshot.needs(0)
    snapshot.save(0, content(1))
    read = bytearray(SECTOR)
    snapshot.undo(0, memoryview(read))
    assert read == content(1)


def test_the_mark_comes_after_the_content(
    snapshot: SnapshotFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A mark without content would restore zeros."""
    written: list[int] = []
    pwrite = os.pwrite

    def note(fd: int, data: bytes, offset: int) -> int:
        written.append(len(data))
        return pwrite(fd, data, offset)

    monkeypatch.setattr(os, "pwrite", note)
    snapshot.save(0, content(1))
    assert written == [SECTOR, 1]


def test_a_snapshot_is_void_once_its_file_is_gone(snapshot: SnapshotFile, tmp_path: Path) -> None:
    """A writer removes the file to tell the owner that a before-image is missing."""
    assert not snapshot.is_void()
    (tmp_path / "snapshot").unlink()
    assert snapshot.is_void()


def test_a_snapshot_takes_the_room_of_what_is_saved(tmp_path: Path) -> None:
    """Databases that are not written to cost nothing, whatever their size."""
    path = tmp_path / "snapshot"
    fd = os.open(path, os.O_RDWR | os.O_CREAT)
    try:
        sectors = 1 << 31
        os.write(fd, encode_databases([((1, 2, 3), Place(0, sectors))]))
        snapshot = SnapshotFile(fd)
        snapshot.save(sectors - 1, content(1))
        assert os.fstat(fd).st_blocks * 512 < 1 << 20
        read = bytearray(content(9))
        snapshot.undo(sectors - 1, memoryview(read))
        assert read == content(1)
    finally:
        os.close(fd)
