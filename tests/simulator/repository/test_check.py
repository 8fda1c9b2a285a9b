"""What a check of a repository finds, and that it finds everything."""

from __future__ import annotations

import os
import shutil

import pytest

from csf_simulator.database.building import build
from csf_simulator.database.changes import Changes
from csf_simulator.database.examination import examine
from csf_simulator.database.header import Header, encode_header, read_header
from csf_simulator.database.sectors import SECTOR, encode_sector
from csf_simulator.repository import repository
from csf_simulator.repository.accounts import encode_balance
from csf_simulator.repository.check import Finding, check
from csf_simulator.server.redo_log import encode_log
from csf_simulator.server.server import Server

ID = bytes(range(16))


@pytest.fixture
def master(tmp_path: os.PathLike[str], server: Server) -> str:
    """The master database of a repository with the classes Class1 and Class2."""
    return repository.create(server, os.path.join(tmp_path, "zoo", "zoo.db"), classes=2)


def beside(master: str, name: str) -> str:
    """Return the path of another file of the repository."""
    return os.path.join(os.path.dirname(master), name)


def put(path: str, offset: int, content: bytes) -> None:
    """Damage a file."""
    with open(path, "r+b") as file:
        file.seek(offset)
        file.write(content)


def test_a_sound_repository_has_no_findings(server: Server, master: str) -> None:
    """Moving money between classes keeps a repository sound."""
    with server.transaction() as tx:
        tx.write(beside(master, "Class1.db"), 1, encode_balance(0))
        tx.write(beside(master, "Class2.db"), 16, encode_balance(2000))
    assert check(server, os.path.relpath(master)) == []


def test_files_of_other_kinds_do_not_matter(server: Server, master: str) -> None:
    """Files with another suffix, and directories of any name, do not belong to the repository."""
    with open(beside(master, "zoo.db.manifest"), "w"):
        os.mkdir(beside(master, "directory.db"))
    assert check(server, master) == []


@pytest.mark.parametrize("change", [-10, 10])
def test_money_neither_appears_nor_vanishes(server: Server, master: str, change: int) -> None:
    """Each account may change; their sum may not."""
    with server.transaction() as tx:
        tx.write(beside(master, "Class1.db"), 1, encode_balance(1000 + change))
    much = "much" if change > 0 else "little"
    fault = f"all accounts together hold 10 too {much}"
    assert check(server, master) == [Finding(master, fault)]


def test_every_bit_flip_in_a_repository_is_found(
    server: Server, tmp_path: os.PathLike[str]
) -> None:
    """One bit anywhere in any database: header, data or a sector never written."""
    master = repository.create(server, os.path.join(tmp_path, "small", "m.db"))
    build(
        beside(master, "C.db"), Header(ID, 4, "class", accounts=1, opening=9), [encode_balance(9)]
    )
    with server.transaction() as tx:
        tx.append(master, ID + b"\4\0\1\0C.db")
    assert check(server, master) == []
    for name in ("m.db", "m_schema.db", "C.db"):
        with open(beside(master, name), "r+b", buffering=0) as file:
            content = file.read()
            for bit in range(len(content) * 8):
                byte = content[bit // 8]
                os.pwrite(file.fileno(), bytes([byte ^ 1 << bit % 8]), bit // 8)
                assert examine(file.name).faults, (name, bit)
                os.pwrite(file.fileno(), bytes([byte]), bit // 8)
    assert check(server, master) == []


def test_each_fault_of_a_database_is_reported_with_its_path(server: Server, master: str) -> None:
    """A sector flipped, one swapped in, one lost: each is named."""
    path = beside(master, "Class1.db")
    with open(path, "rb") as file:
        content = file.read()
    put(path, 2 * SECTOR + 40, b"!")
    put(path, 3 * SECTOR, content[4 * SECTOR : 5 * SECTOR])
    put(path, 5 * SECTOR, bytes(SECTOR))
    assert [str(finding) for finding in check(server, master)] == [
        f"{path}: sector 2 fails its checksum",
        f"{path}: sector 3 holds sector 4",
        f"{path}: has 15 written sectors instead of the 16 of its header",
    ]


def test_a_sector_of_another_database_is_found(server: Server, master: str) -> None:
    """Two classes are similar, but their sectors must not be mixed."""
    path = beside(master, "Class1.db")
    with open(beside(master, "Class2.db"), "rb") as file:
        file.seek(SECTOR)
        put(path, SECTOR, file.read(SECTOR))
    assert check(server, master) == [Finding(path, "sector 1 belongs to another database")]


@pytest.mark.parametrize("length", [17 * SECTOR - 1, 16 * SECTOR, 18 * SECTOR])
def test_a_database_of_the_wrong_length_is_found(server: Server, master: str, length: int) -> None:
    """A database that is cut off, in a sector or between two, or continued is reported."""
    path = beside(master, "Class1.db")
    os.truncate(path, length)
    fault = f"has {length} bytes instead of the 17 sectors of its header"
    assert check(server, master) == [Finding(path, fault)]


def test_a_lost_database_is_found(server: Server, master: str) -> None:
    """A class without its file is a finding."""
    path = beside(master, "Class1.db")
    os.unlink(path)
    assert check(server, master) == [Finding(path, "cannot be read: No such file or directory")]


def test_a_file_that_is_no_database_is_found(server: Server, master: str) -> None:
    """Something else under the name of a class's database is a finding."""
    path = beside(master, "Class1.db")
    with open(path, "w") as file:
        file.write("not a database")
    fault = "not a database: sector 0 has 14 bytes, not 512"
    assert check(server, master) == [Finding(path, fault)]


def test_an_exchanged_database_is_found(server: Server, master: str) -> None:
    """A sound database that is not the one listed is a finding."""
    path = beside(master, "Class1.db")
    shutil.copy(beside(master, "Class2.db"), path)
    fault = "is not the database the master database lists"
    assert check(server, master) == [Finding(path, fault)]


def test_a_database_of_the_wrong_kind_is_found(server: Server, master: str) -> None:
    """What is listed as a class must be one."""
    path = beside(master, "Class1.db")
    with open(path, "rb") as file:
        header = read_header(file.fileno())
    put(path, 0, encode_header(header._replace(kind="schema")))
    assert check(server, master) == [Finding(path, "is a schema database, not a class database")]


def test_a_database_that_is_not_listed_is_found(server: Server, master: str) -> None:
    """A class made after a backup is an extra database once the master is restored."""
    path = beside(master, "Extra.db")
    shutil.copy(beside(master, "Class1.db"), path)
    assert check(server, master) == [Finding(path, "is not listed in the master database")]


def test_a_lost_entry_of_the_master_is_found(server: Server, master: str) -> None:
    """When the master forgets a class, both the master and the class are findings."""
    put(master, 2 * SECTOR, bytes(SECTOR))
    assert check(server, master) == [
        Finding(master, "has 2 written sectors instead of the 3 of its header"),
        Finding(beside(master, "Class1.db"), "is not listed in the master database"),
    ]


def test_without_a_master_there_is_one_finding(server: Server, master: str) -> None:
    """Nothing else can be checked without a sound master database."""
    schema = beside(master, "zoo_schema.db")
    fault = "is a schema database, not a master database"
    assert check(server, schema) == [Finding(schema, fault)]
    os.unlink(master)
    assert check(server, master) == [Finding(master, "cannot be read: No such file or directory")]


def test_damage_all_over_is_reported_in_short(server: Server, master: str) -> None:
    """A database full of faults does not hide the other findings."""
    path = beside(master, "Large.db")
    build(path, Header(ID, 0, "class"), [b"x"] * 3000)
    with open(path, "r+b") as file:
        file.write(encode_header(Header(bytes(16), 3001, "class", 3000)))
    faults = examine(path).faults
    assert len(faults) == 21
    assert faults[-1] == "and 2980 more faults"


def test_a_terabyte_of_holes_is_checked_at_once(server: Server, master: str) -> None:
    """Holes are skipped, and do not count as written."""
    path = beside(master, "Sparse.db")
    build(path, Header(ID, 2**31, "class"), [b"x"])
    assert examine(path).faults == []


def test_a_check_begins_with_what_was_promised(server: Server, master: str) -> None:
    """An interrupted commit is completed before the check."""
    path = beside(master, "Class1.db")
    with open(path, "rb") as file:
        database_id = read_header(file.fileno()).database_id
    put(path, SECTOR, b"torn")
    sector = encode_sector(database_id, 1, encode_balance(1000))
    log = os.path.join(os.path.dirname(master), "..", "server", "redo.log")
    put(log, 0, encode_log(Changes({path: {1: sector}}, {}, {})))
    assert check(server, master) == []
