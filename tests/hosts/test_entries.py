"""Names of files on the local host: given, removed and fsynced, with complete error messages."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from users import ALICE, BOB, TEAM, shared_directory, user

from csf_backup_plugin.hosts.common import STICKY
from csf_backup_plugin.hosts.local import entries, writing
from csf_backup_plugin.system_errors import HalfDone

if TYPE_CHECKING:
    from collections.abc import Callable


def test_removing_is_on_the_disk_and_may_find_nothing(synced: list[str]) -> None:
    """A missing file counts as removed."""
    writing.create("/d/a", b"")
    del synced[:]
    entries.remove("/d/a")
    entries.remove("/d/a")
    assert (os.listdir("/d"), synced) == ([], ["d"])


def test_a_moved_file_replaces_nothing(tmp_path: Path) -> None:
    """A file at the new name stays, and so does the moved one."""
    old, new, taken = (str(tmp_path / name) for name in ("old", "new", "taken"))
    Path(old).write_bytes(b"file")
    Path(taken).write_bytes(b"another")
    with pytest.raises(FileExistsError):
        entries.move(old, taken)
    entries.move(old, new)
    assert {name.name: name.read_bytes() for name in tmp_path.iterdir()} == {
        "new": b"file",
        "taken": b"another",
    }


def test_a_file_is_moved_where_there_are_no_hard_links(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A rename is used, which removes the old name itself."""

    def refuse(*_: str) -> None:
        raise PermissionError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)
    (tmp_path / "old").write_bytes(b"file")
    entries.move(str(tmp_path / "old"), str(tmp_path / "new"))
    assert [name.name for name in tmp_path.iterdir()] == ["new"]


def test_a_directory_is_made_once_and_removed_when_empty(tmp_path: Path) -> None:
    """A directory that is not empty is not removed."""
    path = tmp_path / "directory"
    entries.make_directory(str(path))
    with pytest.raises(FileExistsError):
        entries.make_directory(str(path))
    (path / "file").touch()
    with pytest.raises(OSError, match="not empty"):
        entries.remove(str(path))
    entries.remove(str(path / "file"))
    entries.remove(str(path))
    assert not path.exists()


def refuse(*_: object) -> None:
    """Raise the error of a dead disk."""
    raise OSError(errno.EIO, "Input/output error")


def test_in_a_sticky_directory_it_is_told_who_may_replace_or_remove(tmp_path: Path) -> None:
    """In another directory, the message says only that it is not permitted."""
    with shared_directory(0o1777, TEAM) as directory:
        path = directory / "lib.db.manifest"
        path.write_bytes(b"data")
        os.chown(path, ALICE, ALICE)
        path.chmod(0o666)
        ways: list[Callable[[], object]] = [
            lambda: writing.replace(str(path), b"new"),
            lambda: entries.remove(str(path)),
            lambda: entries.move(str(path), f"{path}.new"),
        ]
        with user(BOB):
            for way in ways:
                with pytest.raises(PermissionError) as caught:
                    way()
                assert caught.value.filename == str(path)
                assert str(caught.value.strerror).endswith(STICKY)
        directory.chmod(0o755)
        with user(BOB), pytest.raises(PermissionError) as caught:
            entries.remove(str(path))
        assert caught.value.strerror == "Permission denied"
        assert os.listdir(directory) == ["lib.db.manifest"]
        assert path.read_bytes() == b"data"


def test_a_file_whose_old_name_cannot_be_taken_keeps_that_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file never has both names silently."""
    old, new = tmp_path / "old", tmp_path / "new"
    old.write_bytes(b"file")
    unlink = os.unlink
    with monkeypatch.context() as patch:
        patch.setattr(os, "unlink", lambda path: refuse() if path == str(old) else unlink(path))
        with pytest.raises(OSError, match="Input/output error") as caught:
            entries.move(str(old), str(new))
    assert not isinstance(caught.value, HalfDone)
    assert os.listdir(tmp_path) == ["old"]
    with monkeypatch.context() as patch:
        patch.setattr(os, "unlink", refuse)
        with pytest.raises(HalfDone) as half:
            entries.move(str(old), str(new))
    assert half.value.left == f"{new} was made, and could not be removed again."
    entries.move(str(new), str(old))
    assert os.listdir(tmp_path) == ["old"]


def test_what_does_not_reach_the_disk_is_reported_as_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Moves and removals cannot be undone.

    A new directory is removed again, unless its disk is dead.
    """
    path = str(tmp_path / "file")
    Path(path).touch()
    monkeypatch.setattr(os, "fsync", refuse)
    with pytest.raises(HalfDone) as caught:
        entries.move(path, f"{path}2")
    assert caught.value.left.startswith(f"{path}2 has the place of {path} anyway")
    with pytest.raises(HalfDone) as caught:
        entries.remove(f"{path}2")
    assert caught.value.left == f"{path}2 was removed anyway; a power cut may undo that."
    with pytest.raises(OSError, match="Input/output error"):
        entries.make_directory(path)
    assert os.listdir(tmp_path) == []
    monkeypatch.setattr(os, "rmdir", refuse)
    with pytest.raises(HalfDone) as caught:
        entries.make_directory(path)
    assert caught.value.left == f"{path} was made, and could not be removed again."


def test_what_somebody_else_has_removed_is_taken_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An error that is not the system's passes unchanged."""
    entries.take_back(str(tmp_path / "none"), OSError())
    monkeypatch.setattr(os, "unlink", refuse)
    entries.take_back(str(tmp_path / "file"), KeyboardInterrupt())
