"""Master repositories and their classes."""

from __future__ import annotations

import os
import zlib

import pytest

from csf_simulator.repository import repository
from csf_simulator.repository.check import check
from csf_simulator.repository.names import RepositoryError
from csf_simulator.server.server import Server


@pytest.fixture
def master(tmp_path: os.PathLike[str]) -> str:
    """Return the path of a master database; neither it nor its directory exists."""
    return os.path.join(tmp_path, "zoo", "zoo.db")


@pytest.mark.parametrize("suffix", [".db", "", ".odb", ".~", ".d b", ".\udcff"])
def test_a_repository_has_two_databases_and_one_per_class(
    server: Server, master: str, suffix: str
) -> None:
    """All of them lie in one directory under the master's suffix, and are sound."""
    master = os.path.splitext(master)[0] + suffix
    assert repository.create(server, master, classes=3) == master
    names = ["Class1", "Class2", "Class3", "zoo", "zoo_schema"]
    assert sorted(os.listdir(os.path.dirname(master))) == sorted(name + suffix for name in names)
    assert repository.classes(server, master) == ["Class1", "Class2", "Class3"]
    assert check(server, master) == []


def test_a_class_adds_one_database(server: Server, master: str) -> None:
    """The path that is returned is absolute, and the database lies there."""
    repository.create(server, master)
    path = repository.create_class(server, os.path.relpath(master), "Lion")
    assert path == os.path.join(os.path.dirname(master), "Lion.db")
    assert os.path.isfile(path)
    assert repository.classes(server, master) == ["Lion"]
    assert check(server, master) == []


def test_a_class_may_have_the_longest_name_of_a_file(server: Server, master: str) -> None:
    """A name of 255 bytes, the suffix included, is listed whole."""
    repository.create(server, master)
    name = "é" * 126
    repository.create_class(server, master, name)
    assert repository.classes(server, master) == [name]
    assert check(server, master) == []


@pytest.mark.parametrize("name", ["Lion", "zoo", "zoo_schema"])
def test_a_class_that_is_there_is_refused(server: Server, master: str, name: str) -> None:
    """A class replaces no database, least of all a base database."""
    repository.create(server, master)
    repository.create_class(server, master, "Lion")
    with pytest.raises(FileExistsError, match=f"{name}.db exists already"):
        repository.create_class(server, master, name)
    assert repository.classes(server, master) == ["Lion"]
    assert check(server, master) == []


def test_a_repository_that_is_there_is_refused(server: Server, master: str) -> None:
    """A second repository of the same name leaves the first as it is."""
    repository.create(server, master, classes=1)
    with pytest.raises(FileExistsError, match=r"zoo\.db exists already"):
        repository.create(server, master)
    assert repository.classes(server, master) == ["Class1"]
    assert check(server, master) == []


def test_a_schema_without_its_master_is_not_replaced(server: Server, master: str) -> None:
    """When one of the two base databases cannot be made, neither is."""
    repository.create(server, master)
    os.unlink(master)
    with pytest.raises(FileExistsError, match=r"zoo_schema\.db exists already"):
        repository.create(server, master)
    assert os.listdir(os.path.dirname(master)) == ["zoo_schema.db"]


def test_a_class_that_is_in_the_way_leaves_no_master(server: Server, master: str) -> None:
    """Nothing is made of a repository of which one class cannot be made."""
    repository.create(server, master, classes=2)
    os.unlink(master)
    os.unlink(os.path.join(os.path.dirname(master), "zoo_schema.db"))
    os.unlink(os.path.join(os.path.dirname(master), "Class1.db"))
    with pytest.raises(FileExistsError, match=r"Class2\.db exists already"):
        repository.create(server, master, classes=2)
    assert os.listdir(os.path.dirname(master)) == ["Class2.db"]


def test_there_is_no_class_without_a_master(server: Server, master: str) -> None:
    """The message says that the master database is missing."""
    with pytest.raises(RepositoryError, match=f"there is no master database {master}"):
        repository.create_class(server, master, "Lion")


def test_only_a_master_has_classes(server: Server, master: str) -> None:
    """Another database of a repository is not a master database."""
    repository.create(server, master)
    schema = os.path.join(os.path.dirname(master), "zoo_schema.db")
    with pytest.raises(RepositoryError, match="is a schema database, not a master database"):
        repository.create_class(server, schema, "Lion")
    assert sorted(os.listdir(os.path.dirname(master))) == ["zoo.db", "zoo_schema.db"]


@pytest.mark.parametrize(
    ("size", "length"), [(0, 17 * 512), (1, 17 * 512), (80 << 10, 80 << 10), (80001, 157 * 512)]
)
def test_a_class_can_have_a_size(server: Server, master: str, size: int, length: int) -> None:
    """A class database has at least the size asked for, in whole sectors, and is sound."""
    repository.create(server, master, classes=2, size=size)
    for number in (1, 2):
        path = os.path.join(os.path.dirname(master), f"Class{number}.db")
        assert os.stat(path).st_size == length
    assert check(server, master) == []


def test_a_large_class_does_not_compress(server: Server, master: str) -> None:
    """A large class holds random data, neither zeros nor repetitions."""
    repository.create(server, master, classes=1, size=1 << 20)
    with open(os.path.join(os.path.dirname(master), "Class1.db"), "rb") as file:
        content = file.read()
    assert len(zlib.compress(content)) > 0.95 * len(content)


def cost_of_class(server: Server, master: str, name: str) -> list[int]:
    """Return what it takes to create a class: bytes read and written, reads and writes."""

    def counters() -> list[int]:
        with open("/proc/thread-self/io", "rb", buffering=0) as file:
            return [int(line.split()[1]) for line in file.read(1024).splitlines()[:4]]

    before = counters()
    repository.create_class(server, master, name)
    return [now - then for now, then in zip(counters(), before, strict=True)]


def test_a_class_costs_the_same_in_a_large_repository(server: Server, master: str) -> None:
    """Neither bytes nor system calls of class_create grow with the number of classes."""
    repository.create(server, master)
    small = cost_of_class(server, master, "Early")
    for number in range(300):
        repository.create_class(server, master, f"Class{number}", durable=False)
    large = cost_of_class(server, master, "Later")
    # The counters are read as text, which may be some digits longer the second time.
    assert large == pytest.approx(small, abs=9)
    assert large[1] < 40_000
