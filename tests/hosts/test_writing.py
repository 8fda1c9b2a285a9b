"""Writing files on the local host: all or nothing, and on the disk."""

from __future__ import annotations

import errno
import fcntl
import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from csf_backup_plugin.hosts.local import reading, writing

if TYPE_CHECKING:
    from collections.abc import Callable

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
    writing.create("/d/a", b"12")
    assert reading.read("/d/a") == b"12"
    assert synced == ["a", "d"]
    with pytest.raises(FileExistsError):
        writing.create("/d/a", b"3")
    assert reading.read("/d/a") == b"12"


def test_a_file_that_cannot_be_written_whole_is_not_left(
    synced: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither by create nor by publish; the error names it."""
    monkeypatch.setattr(os, "write", full)
    for operation in (writing.create, writing.publish):
        with pytest.raises(OSError, match="No space.*/d/"):
            operation("/d/a", b"12")
    assert os.listdir("/d") == []


@pytest.mark.parametrize("operation", [writing.create, writing.publish])
def test_a_file_whose_directory_cannot_be_synced_is_not_left(
    synced: list[str], monkeypatch: pytest.MonkeyPatch, operation: Callable[[str, bytes], None]
) -> None:
    """It might be gone after a power cut, so it is gone now; a clean-up that fails is not told."""
    fsync = os.fsync
    monkeypatch.setattr(os, "fsync", lambda fd: (fsync(fd), synced[-1] == "d" and full()))
    with pytest.raises(OSError, match="No space.*/d"):
        operation("/d/a", b"12")
    assert os.listdir("/d") == []
    monkeypatch.setattr(os, "unlink", full)
    with pytest.raises(OSError, match="No space.*/d"):
        operation("/d/b", b"12")


def test_a_short_write_is_continued(synced: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """The kernel may take less than it is given."""
    write = os.write
    monkeypatch.setattr(os, "write", lambda fd, data: write(fd, data[:3]))
    writing.create("/d/a", b"0123456789")
    assert reading.read("/d/a") == b"0123456789"
    assert synced == ["a", "d"]


def test_a_published_file_is_on_the_disk_before_it_has_its_name(
    synced: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Temporary name, fsync, name, fsync of the directory."""
    link = os.link

    def noted(source: str, target: str) -> None:
        synced.append(f"named {os.path.basename(target)}")
        link(source, target)

    monkeypatch.setattr(os, "link", noted)
    writing.publish("/d/a", b"1")
    assert reading.read("/d/a") == b"1"
    assert os.listdir("/d") == ["a"]
    assert synced[0].startswith(".csf-")
    assert synced[1:] == ["d", "named a", "d"]


@pytest.mark.parametrize("links", [True, False], ids=["hard links", "no hard links"])
def test_publishing_never_replaces_a_file(
    synced: list[str], monkeypatch: pytest.MonkeyPatch, *, links: bool
) -> None:
    """Also where the file system has no hard links."""

    def refuse(*_: object) -> None:
        raise OSError(errno.EPERM, "Operation not permitted")

    if not links:
        monkeypatch.setattr(os, "link", refuse)
    writing.publish("/d/a", b"1")
    with pytest.raises(FileExistsError):
        writing.publish("/d/a", b"2")
    assert reading.read("/d/a") == b"1"
    assert os.listdir("/d") == ["a"]


def test_a_name_that_cannot_be_given_leaves_no_temporary_file(
    synced: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """And the error is the link's."""
    monkeypatch.setattr(os, "link", full)
    with pytest.raises(OSError, match="No space"):
        writing.publish("/d/a", b"1")
    assert os.listdir("/d") == []


def test_a_published_file_may_be_like_another(
    fs: FakeFilesystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What root makes, the databases' owner may write; who may not give it away does not."""
    fs.create_file("/d/lib.db")
    os.chmod("/d/lib.db", 0o664)
    os.chown("/d/lib.db", 65534, 65534)
    writing.publish("/d/a", b"1", like="/d/lib.db")
    assert (os.stat("/d/a").st_uid, os.stat("/d/a").st_mode & 0o777) == (65534, 0o664)

    def refuse(*_: object) -> None:
        raise PermissionError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "chown", refuse)
    writing.publish("/d/b", b"1", like="/d/lib.db")
    assert os.stat("/d/b").st_mode & 0o777 == 0o664


def test_lines_are_appended_in_one_write(
    synced: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """One fsynced append: the cost does not grow with the file."""
    writing.create("/d/a", b"one\n")
    del synced[:]
    writes: list[bytes] = []
    write = os.write

    def noted(descriptor: int, data: bytes) -> int:
        writes.append(data)
        return write(descriptor, data)

    monkeypatch.setattr(os, "write", noted)
    writing.append("/d/a", b"two\nthree\n")
    assert reading.read("/d/a") == b"one\ntwo\nthree\n"
    assert (writes, synced) == ([b"two\nthree\n"], ["a"])


@pytest.mark.parametrize("number", [errno.ENOLCK, errno.EIO])
def test_lines_are_appended_where_there_are_no_locks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    """The file's own lock is for those who could not lock the repository; no other error is one."""

    def fail(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    path = tmp_path / "file"
    path.write_bytes(b"one\n")
    monkeypatch.setattr(fcntl, "flock", fail)
    if number == errno.ENOLCK:
        writing.append(str(path), b"two\n")
        assert path.read_bytes() == b"one\ntwo\n"
    else:
        with pytest.raises(OSError, match=f"{os.strerror(number)}.*{path}"):
            writing.append(str(path), b"two\n")


@pytest.mark.parametrize("torn", [b"t", b"t" * 10_000, b"\0" * 8192])
def test_a_torn_line_stays_and_is_ended_before_lines_are_appended(
    synced: list[str], monkeypatch: pytest.MonkeyPatch, torn: bytes
) -> None:
    """However long it is; in the same write."""
    writing.create("/d/a", b"one\n" + torn)
    writes: list[bytes] = []
    write = os.write

    def noted(descriptor: int, data: bytes) -> int:
        writes.append(data)
        return write(descriptor, data)

    monkeypatch.setattr(os, "write", noted)
    writing.append("/d/a", b"two\n")
    assert writes == [b"\t[cut short]\ntwo\n"]
    assert reading.read("/d/a") == b"one\n" + torn + b"\t[cut short]\ntwo\n"


def test_nothing_is_appended_to_a_file_that_is_not_there(synced: list[str]) -> None:
    """The caller then makes it."""
    with pytest.raises(FileNotFoundError):
        writing.append("/d/a", b"two\n")


@pytest.mark.parametrize("content", [b"", b"torn", b"t" * 10_000])
def test_nothing_is_appended_where_no_line_is_whole(synced: list[str], content: bytes) -> None:
    """It is none of our files, whatever it is."""
    writing.create("/d/a", content)
    with pytest.raises(OSError, match="Not one whole line in it.*/d/a"):
        writing.append("/d/a", b"two\n")
    assert reading.read("/d/a") == content


def test_removing_is_on_the_disk_and_may_find_nothing(synced: list[str]) -> None:
    """A file that is gone is as good as removed."""
    writing.create("/d/a", b"")
    del synced[:]
    writing.remove("/d/a")
    writing.remove("/d/a")
    assert (os.listdir("/d"), synced) == ([], ["d"])


def test_replacing_leaves_old_or_new(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A failure before the rename leaves the file as it was, and nothing beside it."""
    path = tmp_path / "file"
    for contents in (b"one", b"two"):
        writing.replace(str(path), contents)
        assert path.read_bytes() == contents

    def refuse(*_: str) -> None:
        raise OSError(5, "Input/output error", str(path))

    monkeypatch.setattr(os, "rename", refuse)
    with pytest.raises(OSError, match="Input/output error"):
        writing.replace(str(path), b"three")
    assert {name.name: name.read_bytes() for name in tmp_path.iterdir()} == {"file": b"two"}


def test_a_moved_file_replaces_nothing(tmp_path: Path) -> None:
    """What stands at the new name stays, and so does the file."""
    old, new, taken = (str(tmp_path / name) for name in ("old", "new", "taken"))
    Path(old).write_bytes(b"file")
    Path(taken).write_bytes(b"another")
    with pytest.raises(FileExistsError):
        writing.move(old, taken)
    writing.move(old, new)
    assert {name.name: name.read_bytes() for name in tmp_path.iterdir()} == {
        "new": b"file",
        "taken": b"another",
    }


def test_a_file_is_moved_where_there_are_no_hard_links(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A rename does it then, and takes the old name itself."""

    def refuse(*_: str) -> None:
        raise PermissionError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)
    (tmp_path / "old").write_bytes(b"file")
    writing.move(str(tmp_path / "old"), str(tmp_path / "new"))
    assert [name.name for name in tmp_path.iterdir()] == ["new"]


def test_a_directory_is_made_once_and_removed_when_empty(tmp_path: Path) -> None:
    """Nothing that is in it goes with it."""
    path = tmp_path / "directory"
    writing.make_directory(str(path))
    with pytest.raises(FileExistsError):
        writing.make_directory(str(path))
    (path / "file").touch()
    with pytest.raises(OSError, match="not empty"):
        writing.remove(str(path))
    writing.remove(str(path / "file"))
    writing.remove(str(path))
    assert not path.exists()
