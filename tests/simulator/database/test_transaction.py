"""What a transaction reads and writes, before and after its commit."""

from __future__ import annotations

import os

import pytest

from csf_simulator.database.building import build
from csf_simulator.database.header import Header, NotADatabase, read_header
from csf_simulator.database.sectors import PAYLOAD, SECTOR, DamagedSectorError, encode_sector
from csf_simulator.server.server import Server

ID = bytes(range(16))


@pytest.fixture
def path(tmp_path: os.PathLike[str]) -> str:
    """A database with the payloads "one" and "two" and a sector never written."""
    path = os.path.join(tmp_path, "a.db")
    build(path, Header(ID, 4, "class"), [b"one", b"two"])
    return path


def content(payload: bytes) -> bytes:
    """Return a payload as it is read."""
    return payload.ljust(PAYLOAD, b"\0")


def header_of(path: str) -> Header:
    """Return the header that lies in a file."""
    with open(path, "rb") as file:
        return read_header(file.fileno())


def test_a_transaction_reads_what_it_wrote_and_others_do_not(server: Server, path: str) -> None:
    """Until the commit, only its own transaction sees new content."""
    with server.transaction() as tx:
        tx.write(path, 1, b"new")
        assert tx.read(path, 1) == content(b"new")
        with open(path, "rb") as file:
            file.seek(SECTOR)
            assert file.read(SECTOR) == encode_sector(ID, 1, b"one")
    with server.transaction() as tx:
        assert tx.read(path, 1) == content(b"new")


def test_several_databases_change_together(server: Server, path: str) -> None:
    """One commit changes all databases the transaction wrote to, and no other sectors."""
    other = f"{path}2"
    build(other, Header(bytes(16), 0, "class"), [b"other"])
    with server.transaction() as tx:
        tx.write(path, 2, b"new")
        tx.write(other, 1, b"new too")
    with server.transaction() as tx:
        assert tx.read(path, 1) == content(b"one")
        assert tx.read(path, 2) == content(b"new")
        assert tx.read(other, 1) == content(b"new too")


def test_two_names_of_a_database_are_one_database(
    server: Server, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A relative path or a symbolic link leads to the same sectors."""
    os.symlink(path, f"{path}.link")
    monkeypatch.chdir(os.path.dirname(path))
    with server.transaction() as tx:
        tx.write("a.db", 1, b"new")
        assert tx.read(f"{path}.link", 1) == content(b"new")


def test_a_sector_never_written_reads_as_zeros(server: Server, path: str) -> None:
    """A hole has no contents, and the header counts what is written there."""
    with server.transaction() as tx:
        assert tx.read(path, 3) == bytes(PAYLOAD)
        tx.write(path, 3, b"three")
        tx.write(path, 3, b"three again")
        assert tx.header(path) == Header(ID, 4, "class", 3)
    assert header_of(path) == Header(ID, 4, "class", 3)


def test_a_database_grows_by_writing_beyond_its_end(server: Server, path: str) -> None:
    """Growing is part of the transaction; what is left out stays a hole."""
    with server.transaction() as tx:
        assert tx.append(path, b"four") == 4
        tx.write(path, 6, b"six")
        assert tx.read(path, 5) == bytes(PAYLOAD)
        assert header_of(path) == Header(ID, 4, "class", 2)
    assert header_of(path) == Header(ID, 7, "class", 4)
    assert os.stat(path).st_size == 7 * SECTOR


@pytest.mark.parametrize("number", [-1, 0, 4])
def test_there_is_no_reading_outside_the_data(server: Server, path: str, number: int) -> None:
    """The header and everything beyond the end are no data sectors."""
    with server.transaction() as tx, pytest.raises(IndexError, match=f"no data sector {number}"):
        tx.read(path, number)


@pytest.mark.parametrize("number", [-1, 0])
def test_the_header_cannot_be_written(server: Server, path: str, number: int) -> None:
    """Sector 0 belongs to the transaction layer."""
    with server.transaction() as tx, pytest.raises(IndexError, match=f"no data sector {number}"):
        tx.write(path, number, b"")


def test_a_damaged_sector_is_not_read(server: Server, path: str) -> None:
    """The error names the path, and writing the sector again repairs it."""
    with open(path, "r+b") as file:
        file.seek(SECTOR)
        file.write(encode_sector(ID, 2, b"two"))
    with server.transaction() as tx:
        with pytest.raises(DamagedSectorError, match=f"{path}: sector 1 holds sector 2"):
            tx.read(path, 1)
        tx.write(path, 1, b"mended")
    with server.transaction() as tx:
        assert tx.read(path, 1) == content(b"mended")


def test_what_is_no_database_is_reported_with_its_path(server: Server, path: str) -> None:
    """The error names the file that is no database."""
    other = f"{path}.txt"
    with open(other, "wb"):
        pass
    with server.transaction() as tx, pytest.raises(NotADatabase, match=other):
        tx.header(other)


def test_a_block_that_raises_changes_nothing(server: Server, path: str) -> None:
    """Neither sectors nor new databases of a failed transaction exist, nor their leftovers."""
    new = os.path.join(os.path.dirname(path), "new.db")
    with pytest.raises(RuntimeError), server.transaction() as tx:
        tx.write(path, 1, b"new")
        tx.create(new, Header(ID, 0, "class"))
        raise RuntimeError
    with server.transaction() as tx:
        assert tx.read(path, 1) == content(b"one")
    assert sorted(os.listdir(os.path.dirname(path))) == ["a.db", "server"]


def test_a_new_database_gets_its_name_by_the_commit(server: Server, path: str) -> None:
    """Before the commit, nothing in the directory has a database's name."""
    new = os.path.join(os.path.dirname(path), "new.db")
    with server.transaction() as tx:
        assert tx.create(new, Header(ID, 0, "class"), [b"one"]) == Header(ID, 2, "class", 1)
        names = set(os.listdir(os.path.dirname(path))) - {"a.db", "server"}
        assert [os.path.splitext(name)[1][-1:] for name in names] == ["~"]
    assert header_of(new) == Header(ID, 2, "class", 1)
    assert sorted(os.listdir(os.path.dirname(path))) == ["a.db", "new.db", "server"]


def test_a_name_that_is_taken_is_refused(server: Server, path: str) -> None:
    """A new database replaces no file, no dangling link, and no database made just before."""
    new, link = f"{path}.new", f"{path}.link"
    os.symlink("nowhere", link)
    with server.transaction() as tx:
        tx.create(new, Header(ID, 0, "class"))
        for taken in (path, link, new):
            with pytest.raises(FileExistsError, match="exists already"):
                tx.create(taken, Header(ID, 0, "class"))
