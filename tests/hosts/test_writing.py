"""Writing files on the local host: all or nothing, and on the disk."""

from __future__ import annotations

import errno
import fcntl
import os
import re
import stat
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from csf_backup_plugin.cancellation import Cancellation
from csf_backup_plugin.hosts.local import appending, reading, writing
from csf_backup_plugin.hosts.local.host import LocalHost
from csf_backup_plugin.system_errors import HalfDone

if TYPE_CHECKING:
    from collections.abc import Callable


def full(*_: object) -> int:
    """Replace os.write by that of a full disk."""
    raise OSError(errno.ENOSPC, "No space left on device")


def test_a_file_is_created_once(synced: list[str]) -> None:
    """The file is fsynced, and then its directory."""
    writing.create("/d/a", b"12")
    assert reading.read("/d/a") == b"12"
    assert synced == ["a", "d"]
    with pytest.raises(FileExistsError):
        writing.create("/d/a", b"3")
    assert reading.read("/d/a") == b"12"


def test_a_file_that_cannot_be_written_whole_is_not_left(
    synced: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """This holds for create and publish; the error names the file."""
    monkeypatch.setattr(os, "write", full)
    for operation in (writing.create, writing.publish):
        with pytest.raises(OSError, match="No space.*/d/"):
            operation("/d/a", b"12")
    assert os.listdir("/d") == []


@pytest.mark.parametrize("operation", [writing.create, writing.publish])
def test_a_file_whose_directory_cannot_be_synced_is_not_left(
    synced: list[str], monkeypatch: pytest.MonkeyPatch, operation: Callable[[str, bytes], None]
) -> None:
    """A power failure could remove it, so it is removed; a failed cleanup is not reported."""
    fsync = os.fsync
    monkeypatch.setattr(os, "fsync", lambda fd: (fsync(fd), synced[-1] == "d" and full()))
    with pytest.raises(OSError, match="No space.*/d"):
        operation("/d/a", b"12")
    assert os.listdir("/d") == []
    monkeypatch.setattr(os, "unlink", full)
    with pytest.raises(OSError, match="No space.*/d"):
        operation("/d/b", b"12")


def test_a_short_write_is_continued(synced: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """The kernel may write less than it is given."""
    write = os.write
    monkeypatch.setattr(os, "write", lambda fd, data: write(fd, data[:3]))
    writing.create("/d/a", b"0123456789")
    assert reading.read("/d/a") == b"0123456789"
    assert synced == ["a", "d"]


def test_a_published_file_is_on_the_disk_before_it_has_its_name(
    synced: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The order is temporary name, fsync, name, and fsync of the directory."""
    link = os.link

    def noted(source: str, target: str) -> None:
        synced.append(f"named {os.path.basename(target)}")
        link(source, target)

    monkeypatch.setattr(os, "link", noted)
    writing.publish("/d/a", b"1")
    assert reading.read("/d/a") == b"1"
    assert os.listdir("/d") == ["a"]
    assert synced[0].startswith(".csf-")
    assert synced[1:] == ["named a", "d"]


@pytest.mark.parametrize("links", [True, False], ids=["hard links", "no hard links"])
def test_publishing_never_replaces_a_file(
    synced: list[str], monkeypatch: pytest.MonkeyPatch, *, links: bool
) -> None:
    """This also holds on file systems without hard links."""

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
    """The error is that of the link."""
    monkeypatch.setattr(os, "link", full)
    with pytest.raises(OSError, match="No space"):
        writing.publish("/d/a", b"1")
    assert os.listdir("/d") == []


def test_lines_are_appended_in_one_write(
    synced: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """There is one write and one fsync, whatever the size of the file."""
    writing.create("/d/a", b"one\n")
    del synced[:]
    writes: list[bytes] = []
    write = os.write

    def noted(descriptor: int, data: bytes) -> int:
        writes.append(data)
        return write(descriptor, data)

    monkeypatch.setattr(os, "write", noted)
    appending.append("/d/a", b"two\nthree\n")
    assert reading.read("/d/a") == b"one\ntwo\nthree\n"
    assert (writes, synced) == ([b"two\nthree\n"], ["a"])


@pytest.mark.parametrize("number", [errno.ENOLCK, errno.EIO])
def test_lines_are_appended_where_there_are_no_locks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    """The file's own lock only protects those who could not lock the repository."""

    def fail(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    path = tmp_path / "file"
    path.write_bytes(b"one\n")
    monkeypatch.setattr(fcntl, "flock", fail)
    if number == errno.ENOLCK:
        appending.append(str(path), b"two\n")
        assert path.read_bytes() == b"one\ntwo\n"
    else:
        with pytest.raises(OSError, match=f"{os.strerror(number)}.*{path}"):
            appending.append(str(path), b"two\n")


@pytest.mark.parametrize("torn", [b"t", b"t" * 10_000, b"\0" * 8192])
def test_a_torn_line_stays_and_is_ended_before_lines_are_appended(
    synced: list[str], monkeypatch: pytest.MonkeyPatch, torn: bytes
) -> None:
    """It may have any length, and is ended in the same write."""
    writing.create("/d/a", b"one\n" + torn)
    writes: list[bytes] = []
    write = os.write

    def noted(descriptor: int, data: bytes) -> int:
        writes.append(data)
        return write(descriptor, data)

    monkeypatch.setattr(os, "write", noted)
    appending.append("/d/a", b"two\n")
    assert writes == [b"\t[cut short]\ntwo\n"]
    assert reading.read("/d/a") == b"one\n" + torn + b"\t[cut short]\ntwo\n"


def test_nothing_is_appended_to_a_file_that_is_not_there(synced: list[str]) -> None:
    """The caller then creates it."""
    with pytest.raises(FileNotFoundError):
        appending.append("/d/a", b"two\n")


@pytest.mark.parametrize("content", [b"", b"torn", b"t" * 10_000])
def test_nothing_is_appended_where_no_line_is_whole(synced: list[str], content: bytes) -> None:
    """The file is not one of ours."""
    writing.create("/d/a", content)
    with pytest.raises(OSError, match="Not one whole line in it.*/d/a"):
        appending.append("/d/a", b"two\n")
    assert reading.read("/d/a") == content


def test_replacing_leaves_old_or_new(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a failure before the rename, the file is unchanged, and no other one is left."""
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


def closed_badly(descriptor: int) -> None:
    """Replace os.close by one that reports a failed write."""
    CLOSE(descriptor)
    raise OSError(errno.EDQUOT, "Disk quota exceeded")


CLOSE = os.close


def test_what_is_reported_when_a_file_is_closed_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """NFS and FUSE do that: the new file is removed, and the old one is unchanged."""
    path = tmp_path / "file"
    path.write_bytes(b"one\n")
    operations: list[Callable[[], object]] = [
        lambda: writing.create(f"{path}2", b"data"),
        lambda: writing.publish(f"{path}2", b"data"),
        lambda: writing.replace(str(path), b"data"),
        lambda: appending.append(str(path), b"two\n"),
    ]
    for operation in operations:
        with monkeypatch.context() as patch:
            patch.setattr(os, "close", closed_badly)
            with pytest.raises(OSError, match=f"Disk quota exceeded: '{tmp_path}"):
                operation()
    assert {one.name: one.read_bytes() for one in tmp_path.iterdir()} == {"file": b"one\n"}


def test_what_is_reported_when_a_file_that_was_read_is_closed_is_no_matter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Everything was read by then."""
    (tmp_path / "file").write_bytes(b"data")
    monkeypatch.setattr(os, "close", closed_badly)
    assert reading.read(str(tmp_path / "file")) == b"data"
    assert reading.digest(str(tmp_path / "file"), lambda _: None, Cancellation())[0] == 4


def test_a_file_that_cannot_be_written_nor_removed_is_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The message never says that nothing was created."""
    monkeypatch.setattr(os, "write", full)
    monkeypatch.setattr(os, "unlink", full)
    with pytest.raises(HalfDone, match="No space") as caught:
        writing.create(str(tmp_path / "a"), b"data")
    assert caught.value.left == f"{tmp_path}/a was made, and could not be removed again."
    with pytest.raises(HalfDone, match="No space") as caught:
        writing.replace(str(tmp_path / "b"), b"data")
    assert re.fullmatch(rf"{tmp_path}/\.csf-.* was made, .*", caught.value.left)


def test_a_replaced_file_whose_directory_cannot_be_synced_is_reported_as_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has the new contents, which a power failure may undo."""
    path = tmp_path / "file"
    path.write_bytes(b"old")
    monkeypatch.setattr(os, "fsync", lambda fd: stat.S_ISDIR(os.fstat(fd).st_mode) and full())
    with pytest.raises(HalfDone, match="No space") as caught:
        writing.replace(str(path), b"new")
    assert caught.value.left == f"{path} was replaced anyway; a power cut may undo that."
    assert path.read_bytes() == b"new"


@pytest.mark.parametrize("number", [errno.EINVAL, errno.EOPNOTSUPP])
def test_where_directories_cannot_be_synced_files_are_written_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    """CIFS and some FUSE file systems cannot do it; errors of the file itself still count."""
    fsync = os.fsync

    def files_only(descriptor: int) -> None:
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            raise OSError(number, os.strerror(number))
        fsync(descriptor)

    host, path = LocalHost(), str(tmp_path / "a")
    monkeypatch.setattr(os, "fsync", files_only)
    host.create(path, b"1")
    host.replace(path, b"2")
    host.publish(f"{path}.b", b"3")
    host.make_directories([f"{path}.d"])
    host.move([(path, f"{path}.c")])
    assert host.sync([f"{path}.b", f"{path}.c"]) == [str(tmp_path)]
    host.remove([f"{path}.b", f"{path}.d"])
    assert os.listdir(tmp_path) == ["a.c"]
    monkeypatch.setattr(os, "fsync", lambda _fd: full())
    with pytest.raises(OSError, match="No space"):
        host.sync([f"{path}.c"])


def test_what_was_appended_in_part_is_taken_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If that fails, or others may have appended without a lock, the message says so."""
    path, write = tmp_path / "file", os.write
    path.write_bytes(b"one\n")

    def half(descriptor: int, data: bytes) -> int:
        return full() if data == b"o\n" else write(descriptor, data[:2])

    monkeypatch.setattr(os, "write", half)
    with pytest.raises(OSError, match="No space") as refused:
        appending.append(str(path), b"two\n")
    assert not isinstance(refused.value, HalfDone)
    assert path.read_bytes() == b"one\n"
    for name, number in (("ftruncate", errno.EIO), ("flock", errno.ENOLCK)):
        path.write_bytes(b"one\n")

        def fail(*_: object, number: int = number) -> None:
            raise OSError(number, os.strerror(number))

        with monkeypatch.context() as patch:
            patch.setattr(fcntl if name == "flock" else os, name, fail)
            with pytest.raises(HalfDone, match="No space") as caught:
                appending.append(str(path), b"two\n")
        assert caught.value.left == (
            f"What was to be added to {path} may be in it, in part or in whole."
        )
        assert path.read_bytes() == b"one\ntw"
