"""Temporary files: removed at the end, and those of a killed csf by the next write there."""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from typing import TYPE_CHECKING

import pytest

from csf_backup_plugin.hosts.local import writing
from csf_backup_plugin.hosts.local.temporary import temporary

if TYPE_CHECKING:
    from pathlib import Path

OLD = time.time() - 7200


def left(directory: Path, number: int, suffix: str = "") -> Path:
    """Make a temporary file as a csf leaves it that was killed two hours ago."""
    path = directory / f".csf-{number:016x}.tmp{suffix}"
    path.write_bytes(b"part")
    os.utime(path, (OLD, OLD))
    return path


def test_what_a_killed_csf_has_left_goes_with_the_next_file_that_is_written(
    tmp_path: Path,
) -> None:
    """All of them go; for a published file, only its second name goes, at any age."""
    left(tmp_path, 1)
    left(tmp_path, 2, ".own")
    (tmp_path / "published").write_bytes(b"data")
    os.link(tmp_path / "published", tmp_path / f".csf-{3:016x}.tmp")
    writing.replace(str(tmp_path / "file"), b"data")
    assert sorted(os.listdir(tmp_path)) == ["file", "published"]


def test_what_may_be_at_work_or_anothers_stays(tmp_path: Path) -> None:
    """It is young, locked, another user's, a link, or has another name."""
    directory = tmp_path / "directory"
    directory.mkdir()
    young, locked = left(directory, 1), left(directory, 2)
    os.utime(young)
    outside = left(tmp_path, 3)
    os.symlink(outside, directory / outside.name)
    (directory / f".csf-{4:016x}.tmp").mkdir()
    left(directory, 5, "2")
    if os.geteuid() == 0:
        os.chown(left(directory, 6), 1, 1)
    before = sorted(os.listdir(directory))
    with locked.open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        writing.replace(str(directory / "file"), b"data")
    assert sorted(os.listdir(directory)) == sorted([*before, "file"])
    assert outside.exists()


def test_one_that_is_written_is_locked(tmp_path: Path) -> None:
    """It is locked as long as the write takes."""
    with temporary(str(tmp_path / "file"), b"data") as path:
        with open(path, "rb") as file, pytest.raises(BlockingIOError):
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.utime(path, (OLD, OLD))
        writing.replace(str(tmp_path / "other"), b"data")
        assert os.path.exists(path)
    assert os.listdir(tmp_path) == ["other"]


def test_a_name_that_another_file_has_got_meanwhile_is_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It belongs to somebody else."""
    path, flock = left(tmp_path, 1), fcntl.flock

    def swap(descriptor: int, operation: int) -> None:
        with contextlib.suppress(FileNotFoundError):
            path.unlink()
            path.write_bytes(b"another")
        flock(descriptor, operation)

    monkeypatch.setattr(fcntl, "flock", swap)
    writing.replace(str(tmp_path / "file"), b"data")
    assert path.read_bytes() == b"another"
