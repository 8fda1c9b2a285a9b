"""What the Server grants besides transactions: snapshots, and databases for a restore."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from csf_simulator.database.building import build
from csf_simulator.database.changes import Changes
from csf_simulator.database.header import Header, NotADatabase
from csf_simulator.database.sectors import SECTOR, encode_sector
from csf_simulator.database.sources import Source
from csf_simulator.repository import repository
from csf_simulator.repository.check import check
from csf_simulator.server import committer
from csf_simulator.server.redo_log import encode_log
from csf_simulator.server.refusals import DatabaseInUse
from csf_simulator.server.server import Server

ID = bytes(range(16))


class Site:
    """A server and two databases of one sector, a.db and b.db."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.server = Server(str(directory / "server"))
        self.server.create()
        self.paths = [str(directory / name) for name in ("a.db", "b.db")]
        for path in self.paths:
            build(path, Header(ID, 0, "class"), [b"old"])

    def write(self, path: str, payload: bytes = b"new") -> None:
        """Overwrite sector 1 of a database."""
        with self.server.transaction(durable=False) as tx:
            tx.write(path, 1, payload)

    def read(self, path: str) -> bytes:
        """Return what sector 1 of a database holds."""
        with self.server.transaction() as tx:
            return tx.read(path, 1).rstrip(b"\0")

    def claims(self) -> list[str]:
        """Return what claims there are, void ones too."""
        return os.listdir(self.directory / "server" / "claims")


@pytest.fixture
def site(tmp_path: Path) -> Site:
    """The site."""
    return Site(tmp_path)


@contextmanager
def transaction_going_on(site: Site) -> Iterator[None]:
    """Hold the lock, like a transaction of another process."""
    with open(site.directory / "server" / "lock") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def content(source: Source) -> bytes:
    """Return the contents of a whole database in a snapshot."""
    source.read(0, view := memoryview(bytearray(source.sectors * SECTOR)))
    return bytes(view)


def contents(paths: Sequence[str]) -> list[bytes]:
    """Return what files hold."""
    return [Path(path).read_bytes() for path in paths]


def test_a_snapshot_stays_as_it_was(site: Site) -> None:
    """Overwritten sectors and the header are as they were, and new sectors are not in it."""
    before = contents(site.paths)
    with site.server.snapshot(site.paths) as sources:
        with site.server.transaction() as tx:
            for path in site.paths:
                tx.write(path, 1, b"new")
                tx.append(path, b"more")
        assert [content(source) for source in sources] == before
    assert contents(site.paths) != before
    assert site.claims() == []


def test_two_snapshots_are_of_two_instants(site: Site) -> None:
    """The later one has what was overwritten after the earlier one."""
    old = contents(site.paths)
    with site.server.snapshot(site.paths) as earlier:
        site.write(site.paths[0])
        new = contents(site.paths)
        with site.server.snapshot(site.paths) as later:
            site.write(site.paths[0], b"newer")
            assert [content(source) for source in earlier] == old
            assert [content(source) for source in later] == new


def test_a_snapshot_has_what_was_promised_before(site: Site) -> None:
    """A transaction killed after its commit is finished first."""
    log = encode_log(Changes({site.paths[0]: {1: encode_sector(ID, 1, b"promised")}}, {}, {}))
    (site.directory / "server" / "redo.log").write_bytes(log)
    with site.server.snapshot(site.paths) as sources:
        assert b"promised" in content(sources[0])


def test_a_promise_kept_under_a_snapshot_spares_it(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process that applies the log of a killed one saves the before-images again."""
    before = contents(site.paths)

    def die(path: str, sectors: object, *, durable: bool) -> None:
        with open(path, "r+b") as file:
            file.seek(SECTOR)
            file.write(b"half")
        raise KeyboardInterrupt

    with site.server.snapshot(site.paths) as sources:
        with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
            patch.setattr(committer, "_overwrite_sectors", die)
            site.write(site.paths[0])
        assert site.read(site.paths[0]) == b"new"
        assert [content(source) for source in sources] == before


def test_a_failed_snapshot_leaves_nothing(site: Site) -> None:
    """What is not a database is found before anything is copied."""
    (site.directory / "c.db").write_bytes(b"x" * SECTOR)
    with pytest.raises(NotADatabase), site.server.snapshot([str(site.directory / "c.db")]):
        pytest.fail("there is nothing to copy")
    assert site.claims() == []


def test_a_database_replaced_under_a_snapshot_fails_it(site: Site) -> None:
    """The old content is gone, and the new content is not of the backup's instant."""
    with site.server.snapshot(site.paths) as sources:
        os.unlink(site.paths[0])
        build(site.paths[0], Header(ID, 0, "class"), [b"old"])
        with pytest.raises(OSError, match="replaced"):
            content(sources[0])
        assert content(sources[1]) == Path(site.paths[1]).read_bytes()


def test_nobody_touches_a_database_under_restore(site: Site) -> None:
    """Every use of it fails at once; other databases are not affected."""
    a, b = site.paths
    with site.server.restoring([a]):
        with pytest.raises(DatabaseInUse, match="a.db is being restored"):
            site.read(a)
        with pytest.raises(DatabaseInUse, match="a.db"), site.server.transaction() as tx:
            tx.write(b, 1, b"lost with the transaction")
            tx.write(a, 1, b"refused")
        with pytest.raises(DatabaseInUse, match="a.db"), site.server.snapshot([b, a]):
            pytest.fail("there is no instant between transactions")
        with pytest.raises(DatabaseInUse, match="a.db"), site.server.restoring([b, a]):
            pytest.fail("another restore is at work")
        assert site.read(b) == b"old"
        site.write(b)
        with site.server.snapshot([b]), site.server.restoring([b]):
            assert len(site.claims()) == 3
    site.write(a)
    assert [site.read(path) for path in site.paths] == [b"new", b"new"]
    assert site.claims() == []


def test_a_database_cannot_be_made_where_one_is_restored(site: Site) -> None:
    """The restore would replace it."""
    path = str(site.directory / "c.db")
    with (
        site.server.restoring([path]),
        pytest.raises(DatabaseInUse),
        site.server.transaction() as tx,
    ):
        tx.create(path, Header(ID, 0, "class"))
    assert sorted(os.listdir(site.directory)) == ["a.db", "b.db", "server"]


def test_a_repository_under_restore_is_not_checked(site: Site) -> None:
    """Half of the old and half of the new state would have many findings."""
    master = repository.create(site.server, str(site.directory / "zoo" / "zoo.db"), classes=2)
    for name in ("zoo.db", "Class2.db"):
        with (
            site.server.restoring([str(site.directory / "zoo" / name)]),
            pytest.raises(DatabaseInUse, match=name),
        ):
            check(site.server, master)
    assert check(site.server, master) == []


def test_a_restore_waits_for_a_transaction_so_long(site: Site) -> None:
    """After that it reports what it waited for."""
    with (
        transaction_going_on(site),
        pytest.raises(DatabaseInUse, match="transaction has gone on for 0.01 seconds"),
        site.server.restoring(site.paths, 0.01),
    ):
        pytest.fail("a transaction is going on")
    with site.server.restoring(site.paths, 0):
        assert len(site.claims()) == 1


def test_a_restore_begins_after_what_was_promised(site: Site) -> None:
    """A committed log is applied before a restore begins, not over its result."""
    log = encode_log(Changes({site.paths[0]: {1: encode_sector(ID, 1, b"promised")}}, {}, {}))
    (site.directory / "server" / "redo.log").write_bytes(log)
    with site.server.restoring(site.paths):
        assert b"promised" in Path(site.paths[0]).read_bytes()
        assert (site.directory / "server" / "redo.log").read_bytes() == b""
