"""Saving what is about to be overwritten."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from imaging import make_database

from csf_simulator.database.sectors import SECTOR
from csf_simulator.server import before_images
from csf_simulator.server.before_images import BeforeImages
from csf_simulator.server.claims import SNAPSHOT, Claims
from csf_simulator.server.snapshot_file import SnapshotFile
from csf_simulator.server.snapshot_source import SnapshotSource, take_snapshot

SECTORS = 8


class Case:
    """A database and two snapshots of it.

    Attributes:
        path: The database.
        fds: The files of the snapshots, open.
        snapshots: Their paths.
        sources: The database in each of them.
    """

    def __init__(self, directory: Path, stack: ExitStack) -> None:
        content = os.urandom((SECTORS - 1) * SECTOR)
        self.path = str(make_database(directory / "a.db", SECTORS, {1: content}))
        claims = Claims(str(directory / "claims"))
        claims.create()
        self.fds = [stack.enter_context(claims.hold(SNAPSHOT)) for _ in range(2)]
        self.snapshots = [os.readlink(f"/proc/self/fd/{fd}") for fd in self.fds]
        self.sources: list[SnapshotSource] = []
        for fd in self.fds:
            self.sources += take_snapshot(fd, [self.path])

    def overwrite(self) -> None:
        """Put zeros into the database."""
        with open(self.path, "r+b") as file:
            file.write(bytes(SECTORS * SECTOR))

    def read(self, snapshot: int) -> bytes:
        """Read the whole database out of a snapshot."""
        self.sources[snapshot].read(0, view := memoryview(bytearray(SECTORS * SECTOR)))
        return bytes(view)

    def needed(self, snapshot: int) -> list[int]:
        """Return the sectors a snapshot still needs."""
        file = SnapshotFile(self.fds[snapshot])
        return [number for number in range(SECTORS) if file.needs(number)]


@pytest.fixture
def case(tmp_path: Path) -> Iterator[Case]:
    """The case."""
    with ExitStack() as stack:
        yield Case(tmp_path, stack)


def test_every_snapshot_gets_what_it_needs(case: Case) -> None:
    """A snapshot that has archived a sector does not need it."""
    before = Path(case.path).read_bytes()
    case.sources[1].read(2, memoryview(bytearray(SECTOR)))
    BeforeImages().save(case.snapshots, {case.path: range(SECTORS)})
    case.overwrite()
    assert case.read(0) == before
    assert case.read(1)[3 * SECTOR :] == before[3 * SECTOR :]
    assert case.read(1)[2 * SECTOR : 3 * SECTOR] == bytes(SECTOR)


def test_the_first_contents_count(case: Case) -> None:
    """A saved sector is not saved again, by any process."""
    before = Path(case.path).read_bytes()
    for _ in range(2):
        BeforeImages().save(case.snapshots, {case.path: [1, 2]})
        case.overwrite()
    assert case.read(0)[SECTOR : 3 * SECTOR] == before[SECTOR : 3 * SECTOR]


def test_new_sectors_are_no_part_of_a_snapshot(case: Case) -> None:
    """Sectors and databases that came after the snapshot are not saved in it."""
    other = make_database(Path(case.path).with_name("b.db"))
    size = os.fstat(case.fds[0]).st_size
    sectors = {case.path: [SECTORS, SECTORS + 1], str(other): [0], "/no/such.db": [0]}
    BeforeImages().save(case.snapshots, sectors)
    assert os.fstat(case.fds[0]).st_size == size
    assert case.needed(0) == list(range(SECTORS))


def test_a_database_of_the_same_name_is_another(case: Case) -> None:
    """A database that a restore put in its place is not in the snapshot."""
    path = Path(case.path)
    make_database(path.with_name("new"), SECTORS).replace(path)
    BeforeImages().save(case.snapshots, {case.path: [1]})
    assert case.needed(0) == list(range(SECTORS))


def test_a_name_does_not_matter(case: Case) -> None:
    """The database is recognised by whatever link leads to it."""
    link = Path(case.path).with_name("link.db")
    os.link(case.path, link)
    BeforeImages().save(case.snapshots, {str(link): [1]})
    assert 1 not in case.needed(0)


def test_what_is_safe_is_not_looked_at_again(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    """Sectors that are written often cost nothing from the second time on."""
    images = BeforeImages()
    images.save(case.snapshots, {case.path: [1, 2]})
    with monkeypatch.context() as patch:
        patch.delattr(os, "open")
        images.save(case.snapshots, {case.path: [2, 1]})
    images.save(case.snapshots, {case.path: [2, 3]})
    assert case.needed(0) == [0, 4, 5, 6, 7]


def test_memory_is_limited(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    """Sectors that are not remembered are checked again, with the same result."""
    monkeypatch.setattr(before_images, "_REMEMBERED", 1)
    images = BeforeImages()
    for sectors in ([1], [2], [2], [1, 3]):
        images.save(case.snapshots, {case.path: sectors})
    assert case.needed(0) == [0, 4, 5, 6, 7]


def test_memory_ends_with_the_snapshot(case: Case) -> None:
    """A sector that one snapshot has may be needed by the next."""
    images = BeforeImages()
    images.save(case.snapshots[:1], {case.path: [1]})
    images.save(case.snapshots[1:], {case.path: [1]})
    assert [1 in case.needed(number) for number in (0, 1)] == [False, False]


def test_a_snapshot_that_cannot_be_kept_is_given_up(
    case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The transaction succeeds, and so does the other backup."""
    before = Path(case.path).read_bytes()
    save = SnapshotFile.save

    def fail_once(snapshot: SnapshotFile, position: int, sector: bytes) -> None:
        monkeypatch.setattr(SnapshotFile, "save", save)
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(SnapshotFile, "save", fail_once)
    BeforeImages().save(case.snapshots, {case.path: [1]})
    case.overwrite()
    with pytest.raises(OSError, match="void"):
        case.read(0)
    assert case.read(1)[SECTOR : 2 * SECTOR] == before[SECTOR : 2 * SECTOR]


def test_a_snapshot_that_ended_needs_nothing(case: Case) -> None:
    """A backup may end between the listing of the claims and the commit."""
    os.unlink(case.snapshots[0])
    BeforeImages().save(case.snapshots, {case.path: [1]})
    assert 1 not in case.needed(1)
