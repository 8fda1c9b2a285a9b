"""A tree is removed as far as possible, and nothing outside of it."""

from __future__ import annotations

import os
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

from csf_backup_plugin.hosts.local.removal import remove_tree

if TYPE_CHECKING:
    from pathlib import Path


def test_what_goes_meanwhile_is_no_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another process may remove it at the same time."""
    (tmp_path / "tree").mkdir()
    monkeypatch.setattr(os, "listdir", lambda _descriptor: ["gone"])
    remove_tree(str(tmp_path / "tree"), mine=True)
    assert not (tmp_path / "tree").exists()


def test_another_file_system_is_not_entered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever is mounted in a tree does not belong to it."""
    (tmp_path / "tree").mkdir()
    (tmp_path / "tree" / "file").touch()
    other = SimpleNamespace(st_uid=os.geteuid(), st_dev=-1)
    monkeypatch.setattr(os, "lstat", lambda _path: other)
    with pytest.raises(OSError, match="Another file system is mounted in it"):
        remove_tree(str(tmp_path / "tree"), mine=True)
    assert (tmp_path / "tree" / "file").exists()
