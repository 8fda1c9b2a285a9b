"""Putting restored databases in their places, all or none."""

from __future__ import annotations

import os
import stat
import threading
from pathlib import Path

import pytest

from csf_simulator.database.sectors import SECTOR
from csf_simulator.image.catalog import Database
from csf_simulator.program.errors import UtilityError
from csf_simulator.utilities.staging import Staging

DATABASES = [Database(bytes(16), 2, "/a"), Database(bytes(16), 3, "/b")]
A, B = b"a" * 2 * SECTOR, b"b" * 3 * SECTOR


@pytest.fixture
def staging(tmp_path: Path) -> Staging:
    """Return databases a.db and b.db staged for tmp_path; a.db replaces an old one."""
    (tmp_path / "a.db").write_bytes(b"old")
    made = Staging({0: f"{tmp_path}/a.db", 1: f"{tmp_path}/b.db"})
    made.create(DATABASES)
    made.write(0, 0, memoryview(A))
    made.write(1, 0, memoryview(B))
    return made


def temporaries(directory: Path) -> list[str]:
    """Return what is neither a.db nor b.db."""
    return [name for name in os.listdir(directory) if name not in ("a.db", "b.db")]


def test_nothing_is_seen_before_all_is_ready(staging: Staging, tmp_path: Path) -> None:
    """Before publishing, the old database is in place, and no search finds the new ones."""
    assert (tmp_path / "a.db").read_bytes() == b"old"
    assert not (tmp_path / "b.db").exists()
    assert len(temporaries(tmp_path)) == 2
    for name in temporaries(tmp_path):
        assert name.startswith(".")
        assert os.path.splitext(name)[1].startswith(".osrestore-")


def test_published_databases_are_in_their_places(staging: Staging, tmp_path: Path) -> None:
    """The old is replaced, the new is there, and nothing else is left."""
    staging.publish()
    staging.discard()
    assert (tmp_path / "a.db").read_bytes() == A
    assert (tmp_path / "b.db").read_bytes() == B
    assert not temporaries(tmp_path)


def test_discarded_databases_leave_no_trace(staging: Staging, tmp_path: Path) -> None:
    """Discarding leaves everything as it was before."""
    staging.discard()
    staging.discard()
    assert (tmp_path / "a.db").read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["a.db"]


def test_failure_half_way_says_what_it_left(
    staging: Staging, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Databases that do not belong together must not be used."""
    rename = os.rename

    def fail(source: str, target: str) -> None:
        if target.endswith("b.db"):
            raise OSError(5, "Input/output error")
        rename(source, target)

    monkeypatch.setattr(os, "rename", fail)
    with pytest.raises(UtilityError, match=r"b\.db: Input.*1 of 2 databases were not replaced"):
        staging.publish()
    staging.discard()
    assert os.listdir(tmp_path) == ["a.db"]


def test_abandoned_databases_leave_no_trace(staging: Staging, tmp_path: Path) -> None:
    """Abandoning leaves everything as it was, and blocks all other threads that use the files."""
    staging.abandon()
    assert (tmp_path / "a.db").read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["a.db"]
    for step in (lambda: staging.create(DATABASES), staging.publish, staging.discard):
        thread = threading.Thread(target=step, daemon=True)
        thread.start()
        thread.join(timeout=0.01)
        assert thread.is_alive()


def test_nothing_is_abandoned_between_two_names(
    staging: Staging, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once the first database is in its place, the others follow."""
    rename = os.rename
    giving_up = threading.Thread(target=staging.abandon)

    def renamed(source: str, target: str) -> None:
        if target.endswith("a.db"):
            giving_up.start()
        rename(source, target)

    monkeypatch.setattr(os, "rename", renamed)
    staging.publish()
    giving_up.join(timeout=60)
    assert sorted(os.listdir(tmp_path)) == ["a.db", "b.db"]


def test_database_that_is_not_restored_is_ignored(tmp_path: Path) -> None:
    """Sectors of a database no pair asked for go nowhere."""
    staging = Staging({1: f"{tmp_path}/b.db"})
    staging.create(DATABASES)
    staging.write(0, 0, memoryview(A))
    staging.write(1, 0, memoryview(B))
    staging.publish()
    assert os.listdir(tmp_path) == ["b.db"]


def test_what_is_not_written_is_a_hole(tmp_path: Path) -> None:
    """A database has its length from the start, and no blocks before its data."""
    staging = Staging({0: f"{tmp_path}/a.db"})
    staging.create([Database(bytes(16), 2**31, "/a")])
    staging.publish()
    status = (tmp_path / "a.db").stat()
    assert (status.st_size, status.st_blocks) == (2**40, 0)


def test_replaced_database_keeps_its_permissions(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who may read a database is the same after a restore, though not always its owner."""
    owners: list[tuple[int, int]] = []

    def fchown(fd: int, owner: int, group: int) -> None:
        owners.append((owner, group))
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "fchown", fchown)
    (tmp_path / "a.db").touch()
    (tmp_path / "a.db").chmod(0o640)
    staging = Staging({0: f"{tmp_path}/a.db"})
    staging.create(DATABASES)
    staging.publish()
    status = (tmp_path / "a.db").stat()
    assert stat.S_IMODE(status.st_mode) == 0o640
    assert owners == [(status.st_uid, status.st_gid)]


def test_short_writes_are_completed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A system call that writes less than it was given is repeated with the rest."""
    pwrite = os.pwrite
    monkeypatch.setattr(os, "pwrite", lambda fd, data, offset: pwrite(fd, data[:100], offset))
    staging = Staging({0: f"{tmp_path}/a.db"})
    staging.create(DATABASES)
    staging.write(0, 1, memoryview(A)[:SECTOR])
    staging.publish()
    assert (tmp_path / "a.db").read_bytes() == bytes(SECTOR) + A[:SECTOR]


def test_failure_names_the_target(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error for a full disk names the database that did not fit."""

    def pwrite(fd: int, data: memoryview, offset: int) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "pwrite", pwrite)
    staging = Staging({0: f"{tmp_path}/a.db"})
    staging.create(DATABASES)
    with pytest.raises(OSError, match="No space left") as caught:
        staging.write(0, 0, memoryview(A))
    assert caught.value.filename == f"{tmp_path}/a.db"
    staging.discard()
