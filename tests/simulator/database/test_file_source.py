"""Where osbackup reads databases from."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest
from imaging import make_database

from csf_simulator.database.file_source import FileSource
from csf_simulator.database.header import NotADatabase
from csf_simulator.database.sectors import SECTOR
from csf_simulator.database.sources import Source

BLOCK = 128  # sectors: no file system here has larger blocks


def source_of(path: Path) -> Source:
    """Return a database as osbackup sees it."""
    return FileSource(str(path))


def read(source: Source, first: int, sectors: int) -> bytes:
    """Return some of its sectors."""
    source.read(first, view := memoryview(bytearray(sectors * SECTOR)))
    return bytes(view)


def test_source_tells_what_its_header_tells(tmp_path: Path) -> None:
    """A source knows path, id and length before anything is copied."""
    path = make_database(tmp_path / "a.db", 20)
    source = source_of(path)
    header = path.read_bytes()
    assert (source.path, source.sectors) == (str(path), 20)
    assert source.database_id in header
    assert read(source, 0, 20) == header


def test_holes_are_left_out(tmp_path: Path) -> None:
    """Extents list only stretches with data, in order, and cover all data."""
    data = {BLOCK * 40: b"x" * SECTOR, BLOCK * 1000: b"y" * SECTOR}
    source = source_of(make_database(tmp_path / "a.db", BLOCK * 2000, data))
    extents = list(source.extents())
    assert extents == sorted(extents)
    assert sum(count for _, count in extents) <= 3 * BLOCK
    for sector in (0, *data):
        assert any(first <= sector < first + count for first, count in extents)


def test_dense_database_is_one_extent(tmp_path: Path) -> None:
    """A file without holes is a single stretch, to its very last sector."""
    source = source_of(make_database(tmp_path / "a.db", 1001, {1: os.urandom(1000 * SECTOR)}))
    assert list(source.extents()) == [(0, 1001)]


def test_sector_that_is_data_in_part_is_data(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the block size of the file system is, no data is taken for a hole."""
    found = {os.SEEK_DATA: [700, 9 * SECTOR], os.SEEK_HOLE: [1300]}
    source = source_of(make_database(tmp_path / "a.db", 8))
    monkeypatch.setattr(os, "lseek", lambda fd, offset, whence: found[whence].pop(0))
    assert list(source.extents()) == [(1, 2)]


def test_growth_is_not_read(tmp_path: Path) -> None:
    """What is appended after the start does not belong to the backup."""
    path = make_database(tmp_path / "a.db", 8)
    source = source_of(path)
    with path.open("ab") as file:
        file.write(b"z" * SECTOR * BLOCK * 2)
    assert list(source.extents()) == [(0, 8)]


def test_vanished_database_is_an_error(tmp_path: Path) -> None:
    """A database that is removed during the backup ends it."""
    path = make_database(tmp_path / "a.db")
    source = source_of(path)
    path.unlink()
    with pytest.raises(FileNotFoundError, match=r"a\.db"):
        read(source, 0, 8)
    with pytest.raises(FileNotFoundError, match=r"a\.db"):
        list(source.extents())


def test_replaced_database_is_an_error(tmp_path: Path) -> None:
    """A mixture of two files would not be a database."""
    path = make_database(tmp_path / "a.db")
    source = source_of(path)
    make_database(tmp_path / "other").rename(path)
    with pytest.raises(OSError, match=r"replaced: .*a\.db") as caught:
        read(source, 0, 8)
    assert caught.value.errno == errno.ESTALE


def test_database_that_becomes_shorter_is_an_error(tmp_path: Path) -> None:
    """The missing end must not be taken for a hole."""
    path = make_database(tmp_path / "a.db", BLOCK * 4, {BLOCK * 3: b"x" * SECTOR * BLOCK})
    source = source_of(path)
    os.truncate(path, BLOCK * SECTOR)
    with pytest.raises(OSError, match="shorter") as caught:
        read(source, BLOCK, BLOCK)
    assert caught.value.filename == str(path)
    with pytest.raises(OSError, match="shorter") as caught:
        list(source.extents())
    assert caught.value.filename == str(path)


def test_failing_search_for_data_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only "no more data" means a hole."""
    source = source_of(make_database(tmp_path / "a.db"))

    def lseek(fd: int, offset: int, whence: int) -> int:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(os, "lseek", lseek)
    with pytest.raises(OSError, match="Input/output error") as caught:
        list(source.extents())
    assert caught.value.filename == source.path


def test_other_file_is_no_database(tmp_path: Path) -> None:
    """A file that is not a database is named."""
    path = tmp_path / "a.txt"
    path.write_bytes(b"hello" * 1000)
    with pytest.raises(NotADatabase, match=r"a\.txt: not a database"):
        source_of(path)


def test_length_must_be_the_one_in_the_header(tmp_path: Path) -> None:
    """A database that was cut or appended to is inconsistent before anything is copied."""
    path = make_database(tmp_path / "a.db", 8)
    os.truncate(path, 9 * SECTOR)
    with pytest.raises(NotADatabase, match=r"a\.db: 4608 bytes are not the 8 sectors"):
        source_of(path)


def test_many_databases_need_few_descriptors(tmp_path: Path) -> None:
    """Sources hold no file open."""
    paths = [str(make_database(tmp_path / f"{number}.db")) for number in range(50)]
    before = len(os.listdir("/proc/self/fd"))
    sources = [FileSource(path) for path in paths]
    reading = [source.extents() for source in sources]
    assert [next(extents)[0] for extents in reading] == [0] * 50
    for extents in reading:
        list(extents)
    assert len(os.listdir("/proc/self/fd")) == before
