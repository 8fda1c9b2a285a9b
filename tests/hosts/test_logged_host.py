"""A host with a log does the same as without, and the log has everything."""

from __future__ import annotations

import logging
import os
from typing import TYPE_CHECKING

import pytest

from csf_backup_plugin.errors import LockBusy
from csf_backup_plugin.hosts.local.host import LocalHost
from csf_backup_plugin.hosts.logged_host import observed
from csf_backup_plugin.hosts.protocol.steps import Absent, Create, Release, RemoveTrees, Withdrawal
from csf_backup_plugin.hosts.protocol.values import ENDLESS, UNKNOWN, Completed
from csf_backup_plugin.log import log
from doubles import MemoryHost

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class Records(logging.Handler):
    """Keeps what is logged."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.texts.append(record.getMessage())


@pytest.fixture
def records() -> Iterator[list[str]]:
    """Return the list of logged messages."""
    handler, level = Records(), log.level
    log.addHandler(handler)
    log.setLevel(logging.INFO)
    yield handler.texts
    log.removeHandler(handler)
    log.setLevel(level)


def test_a_signal_is_known_to_it_too(records: list[str]) -> None:
    """Operations check the same `Cancellation` as the host."""
    host = LocalHost()
    assert observed(host).cancellation is host.cancellation
    assert records == []


def test_what_is_asked_together_is_reported_as_what_is_asked_alone(
    records: list[str], tmp_path: Path
) -> None:
    """Each of them has one record."""
    host, path = observed(LocalHost()), str(tmp_path)
    (entries, _) = host.together(lambda: host.list_directory(path), lambda: host.sync([path]))
    assert entries == []
    assert [text.rpartition(" on localhost: ")[0] for text in records] == [f"sync {path}"]


def test_whatever_changes_files_is_reported_and_reading_is_not(
    records: list[str], tmp_path: Path
) -> None:
    """A failed change is logged, too, but never the contents of files."""
    host, path = observed(LocalHost()), str(tmp_path / "file")
    host.create(path, b"secret\n")
    host.append(path, b"secret\n")
    host.replace(path, b"secret\n")
    host.sync(iter([path]))
    host.make_directories([f"{path}.d"])
    host.move(iter([(path, f"{path}.new")]))
    host.publish(path, b"secret\n")
    host.remove(reversed([path, f"{path}.new", f"{path}.d"]))
    host.remove_trees([path], mine=True)
    assert host.read(path) is None
    assert host.look([path])[0].kind == "missing"
    with pytest.raises(FileNotFoundError):
        host.append(path, b"secret\n")
    named = [text.rpartition(" on localhost: ")[0] for text in records]
    assert named == [
        *(f"create {path}", f"append {path}", f"replace {path}", f"sync {path}"),
        *(f"make directories {path}.d", f"move {path} to {path}.new", f"publish {path}"),
        *(f"remove {path}.d, {path}.new, {path}", f"remove trees {path}", f"append {path}"),
    ]
    assert records[-1].endswith(": failed: No such file or directory")
    assert "secret" not in "".join(records)


def test_what_is_withdrawn_is_reported_and_what_stays_with_the_reason(
    records: list[str], tmp_path: Path
) -> None:
    """Each file has one record."""
    one, two = str(tmp_path / "one"), str(tmp_path / "two")
    host = observed(LocalHost())
    host.create(one, b"")
    files = [Withdrawal(path, f"{path}.to", f"{path}.keep") for path in (one, two)]
    assert host.withdraw(iter(files)) == ["", "does not exist"]
    assert records[1:] == [
        f"withdraw {one} to {one}.to on localhost: done",
        f"withdraw {two} to {two}.to on localhost: does not exist",
    ]


def test_what_is_held_for_reading_is_reported(records: list[str], tmp_path: Path) -> None:
    """A failed attempt is logged, too."""
    path, host = str(tmp_path / "receipt"), observed(LocalHost())
    with pytest.raises(FileNotFoundError), host.reading(path):
        pass
    host.create(path, b"")
    with host.reading(path):
        pass
    before = f"lock {path} for reading on localhost: "
    assert records[0] == f"{before}failed: No such file or directory"
    assert records[2].startswith(before)
    assert len(records) == 3


def test_programs_are_reported_with_directory_status_and_duration(
    records: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each of several programs is logged, also one whose end was not seen."""
    monkeypatch.chdir(tmp_path)
    host = observed(LocalHost())
    assert host.run(["sh", "-c", "exit 3"], 10).status == 3
    assert [one.status for one in host.run_each(["test", "-e"], [str(tmp_path), "no"], 10)] == [
        0,
        1,
    ]
    with host.start(["sleep", "60"], str(tmp_path), None, f"{tmp_path}/run") as running:
        assert running.poll()[0] is None
    with host.start(["true"], str(tmp_path), None, f"{tmp_path}/run2") as running:
        while running.poll()[0] is None:
            pass
    assert records[0] == f"run on localhost in {tmp_path}: sh -c 'exit 3'"
    assert records[1].startswith("ended with status 3 on localhost after 0.")
    starts = [text.partition(" on localhost ")[0] for text in records]
    ended = ["ended with status 0", "ended with status 1", "not seen to its end"]
    assert starts[3::2] == [*ended, "ended with status 0"]
    assert f" in {tmp_path}/run: sleep 60" in records[6]


@pytest.mark.parametrize(
    ("status", "words"), [(-9, "status -9"), (UNKNOWN, "unknown"), (ENDLESS, "without end")]
)
def test_an_end_that_is_none_is_reported(records: list[str], status: int, words: str) -> None:
    """It is on another host, and the directory is that of the login."""
    memory = MemoryHost({})
    memory.listing = Completed(status, b"secret")
    observed(memory).run(["x"], 1)
    assert records[0] == "run on db1 in the login's directory: x"
    assert words in records[1]
    assert "secret" not in records[1]


def test_locks_and_their_end_are_reported(records: list[str], tmp_path: Path) -> None:
    """A failed wait is logged, too."""
    host, path, waits = observed(LocalHost()), str(tmp_path / "lock"), list[str]()
    with (
        host.lock(path, "a test", 0, waits.append),
        pytest.raises(LockBusy),
        host.lock(path, "another", 0, waits.append),
    ):
        pass
    first, second, third = records
    assert first.startswith(f"lock {path} on localhost: 0.")
    assert second.startswith(f"lock {path} on localhost: failed: The repository is locked")
    assert third == f"unlock {path} on localhost"


def test_what_is_done_under_a_lock_in_turn_is_reported(records: list[str], tmp_path: Path) -> None:
    """Steps that were done and the one that failed are logged, but not those after it."""
    host = observed(LocalHost())
    path, file, tree = (str(tmp_path / name) for name in ("lock", "file", "tree"))
    with host.lock_and_look(path, "a test", 0, print, lambda: 7) as (lock, seven):
        assert lock is not None
        assert seven == 7
        host.in_turn(Create(file, b""), RemoveTrees((tree, path)), Release(lock))
        host.in_turn(Absent((tree, file)), Create(tree, b""))
    assert records[0].startswith(f"lock {path} on localhost: 0.")
    assert records[1:] == [
        f"create {file} on localhost: done",
        f"remove trees {tree}, {path} on localhost: done",
        "release the lock on localhost: done",
        f"expect nothing at {tree}, {file} on localhost: failed: File exists",
        f"unlock {path} on localhost",
    ]


def test_a_lock_that_was_not_taken_is_not_released(records: list[str], tmp_path: Path) -> None:
    """There is no lock file, and none is to be made."""
    host, path = observed(LocalHost()), str(tmp_path / "lock")
    with host.lock(path, "a test", 0, print, create=False) as lock:
        assert lock is None
    with host.lock_and_look(path, "a test", 0, print, lambda: 7, create=False) as found:
        assert found == (None, 7)
    assert [record for record in records if record.startswith("unlock")] == []


def test_utilities_and_checksums_are_reported(
    records: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The log has the path of each utility."""
    (tmp_path / "osbackup").write_text("#!/bin/sh\n")
    (tmp_path / "osbackup").chmod(0o755)
    monkeypatch.setenv("CSF_BACKUP_OSBACKUP", f"{tmp_path}/osbackup")
    host = observed(LocalHost())
    found = host.find("osbackup", "CSF_BACKUP_OSBACKUP")
    assert host.digest(found, lambda _: None)[0] == 10
    with host.sending(found) as source, host.receiving(f"{tmp_path}/copy") as sink:
        assert sink.give(memoryview(source.take() or b"")) == 10
    told = [text.rpartition(" on localhost: ")[0] for text in records[-2:]]
    assert told == [f"receive {tmp_path}/copy", f"send {found}"]
    assert records[0] == f"osbackup on localhost is {tmp_path}/osbackup"
    assert records[1].startswith(f"take the SHA-256 of {tmp_path}/osbackup on localhost: 0.")


def test_a_directory_that_is_gone_is_reported(
    records: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It does not cause a failure."""
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    host = observed(LocalHost())
    os.chdir(tmp_path)
    host.run(["true"], 10)
    assert records[0] == "run on localhost in no directory (No such file or directory): true"
