"""Reading on the local host: what exists, what does not, and what is unknown."""

from __future__ import annotations

import errno
import hashlib
import os
import tracemalloc
from typing import TYPE_CHECKING

import pytest

from csf_backup_plugin.cancellation import Cancellation
from csf_backup_plugin.hosts.local import kinds, opening, reading
from csf_backup_plugin.hosts.protocol.values import Entry

if TYPE_CHECKING:
    from pathlib import Path

    from pyfakefs.fake_filesystem import FakeFilesystem


def test_a_directory_is_listed_with_kinds_and_sizes(fs: FakeFilesystem) -> None:
    """A link has the kind of its target; a link to nothing is neither file nor directory."""
    fs.create_file("/d/file", contents="123")
    fs.create_dir("/d/directory")
    fs.create_symlink("/d/to file", "file")
    fs.create_symlink("/d/to nothing", "nothing")
    for name, time in (("file", 10), ("directory", 20)):
        os.utime(f"/d/{name}", (time, time))
    assert sorted(reading.list_directory("/d")) == [
        Entry("directory", "directory", 0, link=False, modified=20.0),
        Entry("file", "file", 3, link=False, modified=10.0),
        Entry("to file", "file", 3, link=True, modified=10.0),
        Entry("to nothing", "other", 0, link=True, modified=0.0),
    ]
    assert kinds.kind_of("/d/none") == kinds.kind_of("/d/file/below") == ("missing", 0)


def test_the_digest_is_sha256_and_tells_how_far_it_is(fs: FakeFilesystem) -> None:
    """It is computed in chunks, so that signals are noticed."""
    data = bytes(range(256)) * 5000
    fs.create_file("/d/a", contents=data)
    steps: list[int] = []
    digest = hashlib.sha256(data).hexdigest()
    assert reading.digest("/d/a", steps.append, Cancellation()) == (len(data), digest)
    assert steps == [1 << 20, len(data)]


@pytest.mark.parametrize("call", ["stat", "lstat"])
def test_what_cannot_be_told_is_an_error_and_not_an_absence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    """A database on a failing disk must not be left out as if it were missing."""
    (tmp_path / "link").symlink_to("nothing")

    def fail(*_: object) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(os, call, fail)
    with pytest.raises(OSError, match="Input/output error"):
        kinds.kind_of(str(tmp_path / "link"))


def test_a_link_that_leads_to_itself_is_neither_file_nor_directory(tmp_path: Path) -> None:
    """It is treated like a link to nothing."""
    (tmp_path / "loop").symlink_to("loop")
    assert kinds.kind_of(str(tmp_path / "loop")) == ("other", 0)


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    """It is not a file, and the error names it."""
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OSError, match="Not a file.*pipe"):
        reading.read(str(tmp_path / "pipe"))
    (tmp_path / "directory").mkdir()
    with pytest.raises(OSError, match="Not a file.*directory"):
        reading.read(str(tmp_path / "directory"))


@pytest.mark.parametrize("name", [None, "", 3])
def test_an_error_that_has_no_name_or_a_number_for_one_names_the_file(name: object) -> None:
    """Errors of an open file have no name."""
    with pytest.raises(OSError, match="Is a directory: '/r/x'"), opening.named("/r/x"):
        raise IsADirectoryError(21, "Is a directory", name)


def test_an_error_that_names_another_file_is_left_alone() -> None:
    """Its own name is more precise."""
    with pytest.raises(OSError, match="No: '/r/y'"), opening.named("/r/x"):
        raise OSError(5, "No", "/r/y")


def test_no_more_memory_is_asked_for_than_a_file_has_bytes(tmp_path: Path) -> None:
    """A receipt of 2 kB needs no 64 MiB; files of /proc report a size of 0."""
    (tmp_path / "small").write_bytes(b"x" * 2000)
    tracemalloc.start()
    assert reading.read(str(tmp_path / "small")) == b"x" * 2000
    assert tracemalloc.get_traced_memory()[1] < 2_000_000
    tracemalloc.stop()
    with open("/proc/self/limits", "rb") as file:
        assert reading.read("/proc/self/limits") == file.read()
