"""Commits, recovery and the lock of the simulated Server."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from csf_simulator.database.building import build
from csf_simulator.database.changes import Before, Changes
from csf_simulator.database.header import Header
from csf_simulator.database.sectors import SECTOR, encode_sector
from csf_simulator.server import committer
from csf_simulator.server.redo_log import encode_log
from csf_simulator.server.server import Server
from csf_simulator.system.files import overwrite

ID = bytes(range(16))
KILLING = os.path.join(os.path.dirname(__file__), os.pardir, "killing.py")


@pytest.fixture
def directory(tmp_path: os.PathLike[str]) -> str:
    """A directory for databases, with a server beside them."""
    Server(os.path.join(tmp_path, "server")).create()
    return os.fspath(tmp_path)


@pytest.fixture
def server(directory: str) -> Server:
    """The server."""
    return Server(os.path.join(directory, "server"))


@pytest.fixture
def path(directory: str) -> str:
    """A database with one sector."""
    path = os.path.join(directory, "a.db")
    build(path, Header(ID, 0, "class"), [b"old"])
    return path


def write_log(directory: str, log: bytes) -> None:
    """Leave a redo log as a killed process does."""
    with open(os.path.join(directory, "server", "redo.log"), "wb") as file:
        file.write(log)


def log_size(directory: str) -> int:
    """Return the length of the redo log."""
    return os.stat(os.path.join(directory, "server", "redo.log")).st_size


def read(server: Server, path: str) -> bytes:
    """Return what a database's sector 1 holds."""
    with server.transaction() as tx:
        return tx.read(path, 1).rstrip(b"\0")


def test_a_promise_is_kept_by_whoever_comes_next(server: Server, directory: str, path: str) -> None:
    """The next process applies a committed log before it reads anything, and clears it."""
    new, unfinished = os.path.join(directory, "new.db"), os.path.join(directory, "unfinished.1~")
    build(unfinished, Header(ID, 0, "class"))
    log = encode_log(Changes({path: {1: encode_sector(ID, 1, b"new")}}, {new: unfinished}, {}))
    write_log(directory, log)
    assert read(server, path) == b"new"
    assert sorted(os.listdir(directory)) == ["a.db", "new.db", "server"]
    assert log_size(directory) == 0


def test_a_promise_kept_already_is_kept_again(server: Server, directory: str, path: str) -> None:
    """A log that was applied, but not cleared, changes nothing."""
    with server.transaction() as tx:
        tx.write(path, 1, b"new")
    write_log(directory, encode_log(Changes({path: {1: encode_sector(ID, 1, b"new")}}, {}, {})))
    assert read(server, path) == b"new"


def test_half_a_promise_is_none(server: Server, directory: str, path: str) -> None:
    """A log without its commit is discarded."""
    log = encode_log(Changes({path: {1: encode_sector(ID, 1, b"new")}}, {}, {}))
    write_log(directory, log[:-1])
    assert read(server, path) == b"old"
    assert log_size(directory) == 0


def test_a_promise_to_a_database_removed_since_is_void(
    server: Server, directory: str, path: str
) -> None:
    """What was deleted after the kill does not come back, and blocks nobody."""
    gone = os.path.join(directory, "gone")
    sectors = {f"{gone}.db": {1: bytes(SECTOR)}, path: {1: encode_sector(ID, 1, b"new")}}
    write_log(directory, encode_log(Changes(sectors, {f"{gone}2.db": f"{gone}~"}, {})))
    assert read(server, path) == b"new"
    assert sorted(os.listdir(directory)) == ["a.db", "server"]


def test_a_log_that_cannot_be_written_is_no_commit(
    server: Server, directory: str, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When even the flush of the log fails, nothing has happened."""

    def fail(fd: int) -> None:
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space"), server.transaction() as tx:
        tx.write(path, 1, b"new")
        monkeypatch.setattr(os, "fsync", fail)
    monkeypatch.undo()
    assert read(server, path) == b"old"
    assert log_size(directory) == 0


def fail(*_: object, **__: object) -> None:
    """Raise an error, in place of a function."""
    raise OSError(5, "Input/output error")


def half_promised(directory: str, path: str) -> None:
    """Leave the log of a process that was killed after half of its changes."""
    new, unfinished = os.path.join(directory, "new.db"), os.path.join(directory, "unfinished.1~")
    build(new, Header(ID, 0, "class"))
    other = os.path.join(directory, "b.db")
    build(other, Header(ID, 0, "class"), [b"old"])
    sectors = {
        path: {1: encode_sector(ID, 1, b"new"), 9: encode_sector(ID, 9, b"more")},
        other: {1: encode_sector(ID, 1, b"new")},
    }
    before = {name: Before(2 * SECTOR, {1: encode_sector(ID, 1, b"old")}) for name in (path, other)}
    write_log(directory, encode_log(Changes(sectors, {new: unfinished}, before)))
    overwrite(path, {9 * SECTOR: encode_sector(ID, 9, b"more")}, durable=False)


def test_a_commit_that_cannot_be_finished_is_undone(
    server: Server, directory: str, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A failure after the log was written is raised, and no change of the transaction remains."""
    before = Path(path).read_bytes()
    monkeypatch.setattr(committer, "rename", fail)
    with pytest.raises(OSError, match="Input/output"), server.transaction() as tx:
        tx.write(path, 9, b"new")
        tx.create(os.path.join(directory, "new.db"), Header(ID, 0, "class"))
    monkeypatch.undo()
    assert read(server, path) == b"old"
    assert Path(path).read_bytes() == before
    assert sorted(os.listdir(directory)) == ["a.db", "server"]
    assert log_size(directory) == 0


def test_what_can_neither_be_finished_nor_undone_is_finished_later(
    server: Server, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While the disk fails, all transactions fail; the first one afterwards applies the log."""
    monkeypatch.setattr(committer, "_overwrite_sectors", fail)
    with pytest.raises(OSError, match="Input/output"), server.transaction() as tx:
        tx.write(path, 1, b"new")
    with pytest.raises(OSError, match="Input/output"):
        read(server, path)
    monkeypatch.undo()
    assert read(server, path) == b"new"


def test_a_promise_that_cannot_be_kept_is_undone_by_whoever_comes_next(
    server: Server, directory: str, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Impossible changes of a killed process are undone, and the home stays usable."""
    before = Path(path).read_bytes()
    half_promised(directory, path)
    refuse_writing(monkeypatch, os.path.join(directory, "b.db"))
    assert read(server, path) == b"old"
    assert Path(path).read_bytes() == before
    assert sorted(os.listdir(directory)) == ["a.db", "b.db", "server", "unfinished.1~"]
    assert log_size(directory) == 0


def test_a_promise_kept_already_needs_no_writing(
    server: Server, directory: str, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A database that has become read-only is flushed nevertheless."""
    sectors = {path: {1: encode_sector(ID, 1, b"old")}}
    before = {path: Before(SECTOR, {})}
    write_log(directory, encode_log(Changes(sectors, {}, before)))
    refuse_writing(monkeypatch, path)
    flushed: list[str] = []
    monkeypatch.setattr(os, "fsync", lambda fd: flushed.append(os.readlink(f"/proc/self/fd/{fd}")))
    assert read(server, path) == b"old"
    assert flushed == [path, os.path.join(directory, "server", "redo.log")]


def test_a_log_that_cannot_be_emptied_is_no_failure(
    server: Server, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The changes are made by then; the next process sees that, and clears the log."""
    with monkeypatch.context() as patch, server.transaction() as tx:
        tx.write(path, 1, b"new")
        patch.setattr(committer, "truncate", fail)
    assert read(server, path) == b"new"


def refuse_writing(monkeypatch: pytest.MonkeyPatch, path: str) -> None:
    """Make a file read-only, as on a file system that became so."""
    opened = os.open

    def refuse(name: str, flags: int, mode: int = 0o777) -> int:
        if name == path and flags & os.O_ACCMODE != os.O_RDONLY:
            raise OSError(30, "Read-only file system", name)
        return opened(name, flags, mode)

    monkeypatch.setattr(os, "open", refuse)


def test_reading_writes_nothing(server: Server, path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A transaction that wrote nothing touches neither the log nor the disk."""
    flushes: list[int] = []
    monkeypatch.setattr(os, "fsync", flushes.append)
    with server.transaction() as tx:
        tx.read(path, 1)
    assert flushes == []


@pytest.mark.parametrize("durable", [True, False])
def test_only_durable_transactions_are_flushed(
    server: Server, directory: str, path: str, monkeypatch: pytest.MonkeyPatch, *, durable: bool
) -> None:
    """The log is flushed first, then all databases, the new name, and the log's end."""
    flushed: list[str] = []
    monkeypatch.setattr(os, "fsync", lambda fd: flushed.append(os.readlink(f"/proc/self/fd/{fd}")))
    with server.transaction(durable=durable) as tx:
        tx.write(path, 1, b"new")
        tx.create(os.path.join(directory, "new.db"), Header(ID, 0, "class"))
        built = list(flushed)
        flushed.clear()
    log = os.path.join(directory, "server", "redo.log")
    assert len(built) == durable
    assert flushed == ([log, path, directory, log] if durable else [])


def test_a_write_taken_piecemeal_is_completed(
    server: Server, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A kernel that takes a hundred bytes at a time loses no byte."""
    pwrite = os.pwrite

    def some(fd: int, content: bytes, offset: int) -> int:
        return pwrite(fd, content[:100], offset)

    with monkeypatch.context() as patch:
        patch.setattr(os, "pwrite", some)
        with server.transaction() as tx:
            tx.write(path, 1, b"new")
    assert read(server, path) == b"new"


def test_a_directory_that_is_no_home_is_named(tmp_path: os.PathLike[str]) -> None:
    """Without `create` there is nothing to lock, and the message says what is missing."""
    server = Server(os.path.join(tmp_path, "home", "server"))
    with (
        pytest.raises(FileNotFoundError, match="home is not a simulator's home"),
        server.between_transactions(),
    ):
        pytest.fail("there is no lock to take")


@pytest.mark.parametrize(
    "experiment", ["at-every-line", "while-undoing", "at-random", "side-by-side"]
)
def test_killed_writers(tmp_path: os.PathLike[str], experiment: str) -> None:
    """After any kills, the repository is sound, and each transaction is whole or absent."""
    done = subprocess.run(
        [sys.executable, KILLING, experiment, tmp_path], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "sound" in done.stdout
