"""File operations of the local host: all or nothing, and on the disk."""

from __future__ import annotations

import errno
import hashlib
import os
from typing import TYPE_CHECKING

import pytest

from csf_backup_plugin.hosts.local import files
from csf_backup_plugin.hosts.protocol import Entry

if TYPE_CHECKING:
    from pyfakefs.fake_filesystem import FakeFilesystem


@pytest.fixture
def synced(fs: FakeFilesystem, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the names of what has been fsynced, in order, in a file system with /d."""
    fs.create_dir("/d")
    names: list[str] = []

    def fsync(descriptor: int) -> None:
        names.append(str(fs.get_open_file(descriptor).get_object().name))  # type: ignore[union-attr]

    monkeypatch.setattr(os, "fsync", fsync)
    return names


def full(*_: object) -> int:
    """Stand in for os.write on a full disk."""
    raise OSError(errno.ENOSPC, "No space left on device")


def test_a_file_is_created_once(synced: list[str]) -> None:
    """File, then directory, are on the disk when it returns."""
    files.create("/d/a", b"12")
    assert files.read("/d/a") == b"12"
    assert synced == ["a", "d"]
    with pytest.raises(FileExistsError):
        files.create("/d/a", b"3")
    assert files.read("/d/a") == b"12"


def test_a_file_that_cannot_be_written_whole_is_not_left(
    synced: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither by create nor by publish, and what stood there stands."""
    files.create("/d/old", b"old")
    monkeypatch.setattr(os, "write", full)
    for operation in (files.create, files.publish):
        with pytest.raises(OSError, match="No space"):
            operation("/d/a", b"12")
    with pytest.raises(OSError, match="No space"):
        files.publish("/d/old", b"new")
    assert os.listdir("/d") == ["old"]
    assert files.read("/d/old") == b"old"


def test_a_short_write_is_continued(synced: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """The kernel may take less than it is given."""
    write = os.write
    monkeypatch.setattr(os, "write", lambda fd, data: write(fd, data[:3]))
    files.create("/d/a", b"0123456789")
    assert files.read("/d/a") == b"0123456789"
    assert synced == ["a", "d"]


def test_a_published_file_is_on_the_disk_before_it_has_its_name(
    fs: FakeFilesystem, synced: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Temporary name, fsync, rename, fsync of the directory."""
    rename = os.rename

    def noted(source: str, target: str) -> None:
        synced.append(f"rename to {os.path.basename(target)}")
        rename(source, target)

    monkeypatch.setattr(os, "rename", noted)
    files.publish("/d/a", b"1")
    files.publish("/d/a", b"2")
    assert files.read("/d/a") == b"2"
    assert os.listdir("/d") == ["a"]
    temporary = f"a.{os.getpid()}.tmp"
    assert synced == [temporary, "d", "rename to a", "d"] * 2


def test_a_rename_that_fails_leaves_no_temporary_file(
    synced: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """And the error is the rename's."""
    monkeypatch.setattr(os, "rename", full)
    with pytest.raises(OSError, match="No space"):
        files.publish("/d/a", b"1")
    assert os.listdir("/d") == []


def test_lines_are_appended_in_one_write(
    synced: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """One fsynced append: the cost does not grow with the file."""
    files.create("/d/a", b"one\n")
    del synced[:]
    writes: list[bytes] = []
    write = os.write

    def noted(descriptor: int, data: bytes) -> int:
        writes.append(data)
        return write(descriptor, data)

    monkeypatch.setattr(os, "write", noted)
    files.append("/d/a", b"two\nthree\n")
    assert files.read("/d/a") == b"one\ntwo\nthree\n"
    assert (writes, synced) == ([b"two\nthree\n"], ["a"])


@pytest.mark.parametrize("torn", [b"t", b"t" * 10_000, b"\0" * 8192])
def test_a_torn_line_is_cut_off_before_lines_are_appended(synced: list[str], torn: bytes) -> None:
    """However long it is."""
    files.create("/d/a", b"one\n" + torn)
    files.append("/d/a", b"two\n")
    assert files.read("/d/a") == b"one\ntwo\n"


@pytest.mark.parametrize("content", [None, b"", b"torn", b"t" * 10_000])
def test_nothing_is_appended_where_no_line_is_whole(
    synced: list[str], content: bytes | None
) -> None:
    """The caller then makes the file anew."""
    if content is not None:
        files.create("/d/a", content)
    with pytest.raises(FileNotFoundError):
        files.append("/d/a", b"two\n")
    assert files.read("/d/a") == content


def test_removing_is_on_the_disk_and_may_find_nothing(synced: list[str]) -> None:
    """A file that is gone is as good as removed."""
    files.create("/d/a", b"")
    del synced[:]
    files.remove("/d/a")
    files.remove("/d/a")
    assert (os.listdir("/d"), synced) == ([], ["d"])


def test_a_directory_is_listed_with_kinds_and_sizes(fs: FakeFilesystem) -> None:
    """A link is what it leads to; a link to nothing is neither file nor directory."""
    fs.create_file("/d/file", contents="123")
    fs.create_dir("/d/directory")
    fs.create_symlink("/d/to file", "file")
    fs.create_symlink("/d/to nothing", "nothing")
    assert sorted(files.list_directory("/d")) == [
        Entry("directory", "directory", 0),
        Entry("file", "file", 3),
        Entry("to file", "file", 3),
        Entry("to nothing", "other", 0),
    ]
    assert files.kind_of("/d/none") == files.kind_of("/d/file/below") == ("missing", 0)


def test_the_digest_is_sha256_and_tells_how_far_it_is(fs: FakeFilesystem) -> None:
    """Chunk by chunk, so that a signal is heard."""
    data = bytes(range(256)) * 5000
    fs.create_file("/d/a", contents=data)
    steps: list[int] = []
    assert files.digest("/d/a", steps.append) == hashlib.sha256(data).hexdigest()
    assert steps == [1 << 20, len(data)]
