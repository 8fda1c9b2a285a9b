"""Each of many files reaches the disk."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from csf_backup_plugin.hosts.local import syncing


@pytest.fixture
def files(tmp_path: Path) -> list[str]:
    """Return files in two directories, more than are synced one by one."""
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    paths = [tmp_path / "ab"[number % 2] / str(number) for number in range(50)]
    for path in paths:
        path.write_bytes(b"")
    return [str(path) for path in paths]


def named(descriptor: int) -> str:
    """Return the path by which a descriptor was opened."""
    return os.readlink(f"/proc/self/fd/{descriptor}")


@pytest.mark.parametrize("many", [1, 16, 17, 50])
def test_each_file_and_then_each_directory_is_synced_once(
    files: list[str], many: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Names count only if the files are complete."""
    synced: list[str] = []
    monkeypatch.setattr(os, "fsync", lambda descriptor: synced.append(named(descriptor)))
    assert syncing.sync_each(iter(files[:many])) == []
    directories = [*dict.fromkeys(map(os.path.dirname, files[:many]))]
    assert sorted(synced[:many]) == sorted(files[:many])
    assert synced[many:] == directories


@pytest.mark.parametrize("at", [0, 31, 49])
def test_one_file_of_many_that_does_not_reach_the_disk_is_an_error_that_names_it(
    files: list[str], at: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No directory is synced then."""
    synced: list[str] = []

    def fsync(descriptor: int) -> None:
        if named(descriptor) == files[at]:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        synced.append(named(descriptor))

    monkeypatch.setattr(os, "fsync", fsync)
    with pytest.raises(OSError, match=os.strerror(errno.EIO)) as caught:
        syncing.sync_each(files)
    assert caught.value.filename == files[at]
    assert {*synced} < {*files}


def test_a_file_of_many_that_is_gone_is_an_error(files: list[str]) -> None:
    """It cannot have reached the disk."""
    os.unlink(files[20])
    with pytest.raises(FileNotFoundError) as caught:
        syncing.sync_each(files)
    assert caught.value.filename == files[20]
