"""The record file of osbackup."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from csf_simulator.image.checksums import Checksums
from csf_simulator.image.record_format import RecordedState, pack_entries
from csf_simulator.program.errors import UtilityError
from csf_simulator.utilities.record_file import RecordFile

OLD, NEW = (
    RecordedState(path, b"i" * 16, b"image id", 0, 0, 7, Checksums())
    for path in ("/old.db", "/new.db")
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return a record file."""
    path = tmp_path / "record"
    path.write_bytes(pack_entries([OLD]))
    return path


def names(path: Path) -> list[str]:
    """Return the databases that a record file names."""
    return [entry.path for entry in RecordFile(str(path)).entries]


def test_missing_file_is_an_empty_record(tmp_path: Path) -> None:
    """The first backup finds no record file, and makes it."""
    record = RecordFile(str(tmp_path / "record"))
    assert (record.entries, record.identity()) == ([], [])
    record.replace([NEW])
    assert names(tmp_path / "record") == ["/new.db"]
    assert os.listdir(tmp_path) == ["record"]


def test_record_is_replaced(path: Path) -> None:
    """The new one has the given contents, and no other file is left."""
    record = RecordFile(str(path))
    assert record.identity() == [(path.stat().st_dev, path.stat().st_ino)]
    record.replace([OLD, NEW])
    assert names(path) == ["/old.db", "/new.db"]
    assert os.listdir(path.parent) == ["record"]


def test_link_stays_a_link(path: Path, tmp_path: Path) -> None:
    """The record is replaced where it is."""
    (tmp_path / "link").symlink_to(path)
    RecordFile(str(tmp_path / "link")).replace([NEW])
    assert (tmp_path / "link").is_symlink()
    assert names(path) == ["/new.db"]


@pytest.mark.parametrize("contents", [b"", b"hello", pack_entries([OLD])[:-1]])
def test_other_file_is_refused_by_name(path: Path, contents: bytes) -> None:
    """What is no record stays as it is."""
    path.write_bytes(contents)
    with pytest.raises(UtilityError, match=f"{path}: .*incremental record file"):
        RecordFile(str(path))
    assert path.read_bytes() == contents


def test_directory_and_pipe_are_refused(tmp_path: Path) -> None:
    """Only a regular file can be a record; a pipe is not waited for."""
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path, tmp_path / "pipe"):
        with pytest.raises(UtilityError, match=f"{path}: not an incremental record file"):
            RecordFile(str(path))


def test_missing_directory_is_found_at_once(tmp_path: Path) -> None:
    """A missing directory is an error before the image is written."""
    with pytest.raises(UtilityError, match="no record can be written"):
        RecordFile(str(tmp_path / "missing" / "record"))


def test_unreadable_record_is_an_error(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A record that cannot be read is not taken for a missing one."""

    def deny(*_: object) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr("builtins.open", deny)
    with pytest.raises(UtilityError, match=f"{path}: Permission denied") as caught:
        RecordFile(str(path))
    assert caught.value.name == "err_permission_denied"


def test_record_that_somebody_else_wrote_stays(path: Path) -> None:
    """Of two backups with one record, the second must not undo what the first recorded."""
    first, second = RecordFile(str(path)), RecordFile(str(path))
    first.replace([OLD, NEW])
    with pytest.raises(UtilityError, match="changed while the image was written"):
        second.replace([])
    assert names(path) == ["/old.db", "/new.db"]
    assert os.listdir(path.parent) == ["record"]


def test_file_that_appeared_meanwhile_stays(tmp_path: Path) -> None:
    """A file that appeared under the record's name, such as the image, is not replaced."""
    record = RecordFile(str(tmp_path / "record"))
    (tmp_path / "record").write_bytes(b"image")
    with pytest.raises(UtilityError, match="changed while the image was written"):
        record.replace([NEW])
    assert (tmp_path / "record").read_bytes() == b"image"
    assert os.listdir(tmp_path) == ["record"]


def test_full_disk_leaves_the_old_record(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error names a file; the old record is as good as before."""

    def fail(_: int) -> None:
        raise OSError(28, "No space left on device")

    record = RecordFile(str(path))
    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match="No space left") as caught:
        record.replace([NEW])
    assert str(caught.value.filename).startswith(str(path))
    assert names(path) == ["/old.db"]
    assert os.listdir(path.parent) == ["record"]


KILLED_AT_EVERY_LINE = """
import itertools, os, signal, sys
from csf_simulator.image.record_format import pack_entries
from csf_simulator.utilities.record_file import RecordFile

def child(line):
    passed = 0
    def trace(frame, event, _):
        nonlocal passed
        if "csf_simulator" not in frame.f_code.co_filename:
            return None
        passed += event == "line"
        if passed == line:
            os.kill(os.getpid(), signal.SIGKILL)
        return trace
    sys.settrace(trace)
    record.replace([entry._replace(path="/new.db") for entry in record.entries])
    os._exit(0)

found = set()
for line in itertools.count(1):
    record = RecordFile(sys.argv[1])
    if (pid := os.fork()) == 0:
        child(line)
    _, status = os.waitpid(pid, 0)
    [entry] = RecordFile(sys.argv[1]).entries
    found.add(entry.path)
    with open(sys.argv[1], "wb") as file:
        file.write(pack_entries([entry._replace(path="/old.db")]))
    if status == 0:
        break
    assert status == signal.SIGKILL
print(line, sorted(found))
"""


def test_record_is_never_torn(path: Path) -> None:
    """A replacement that is killed at any line has happened completely or not at all."""
    arguments = [sys.executable, "-I", "-c", KILLED_AT_EVERY_LINE, str(path)]
    done = subprocess.run(arguments, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    lines, found = done.stdout.split(" ", 1)
    assert int(lines) > 20
    assert found == "['/new.db', '/old.db']\n"
