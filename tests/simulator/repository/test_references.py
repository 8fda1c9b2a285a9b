"""References from a master database."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from csf_simulator.database.examination import examine
from csf_simulator.repository import repository
from csf_simulator.repository.references import dangling
from csf_simulator.server.server import Server


@pytest.fixture
def master(tmp_path: Path) -> str:
    """The master database of a repository with two classes, in a directory of its own."""
    server = Server(str(tmp_path / "server"))
    server.create()
    return repository.create(server, str(tmp_path / "zoo" / "zoo.db"), classes=2)


def faults(path: str) -> list[str]:
    """Return what is wrong with the references of a database."""
    return dangling(path, examine(path))


def test_references_of_a_sound_repository_lead_somewhere(master: str) -> None:
    """No reference of a sound repository is reported, from any working directory."""
    assert faults(master) == []


def test_only_a_master_database_has_references(master: str, tmp_path: Path) -> None:
    """Another database, or a file that is not a database, has no references."""
    (tmp_path / "zoo" / "zoo_schema.db").unlink()
    (tmp_path / "none").write_bytes(b"x" * 512)
    assert faults(str(tmp_path / "zoo" / "Class1.db")) == []
    assert faults(str(tmp_path / "none")) == []


def test_each_reference_that_leads_nowhere_is_reported(master: str, tmp_path: Path) -> None:
    """A report names the sector, the target, and what is there instead."""
    zoo = tmp_path / "zoo"
    (zoo / "zoo_schema.db").unlink()
    (zoo / "Class1.db").write_bytes(b"x" * 512)
    os.replace(zoo / "Class2.db", zoo / "x")
    (zoo / "Class2.db").write_bytes(Path(master).read_bytes())
    one, two, three = faults(master)
    assert one == (
        "sector 1 refers to zoo_schema.db, which cannot be opened: No such file or directory"
    )
    assert two.startswith("sector 2 refers to Class1.db, which is not a database: ")
    assert three == "sector 3 refers to Class2.db, which is another database"
