"""What the local host reports about a path."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from csf_backup_plugin.hosts.local import facts as module
from csf_backup_plugin.hosts.local.facts import look
from csf_backup_plugin.hosts.local.status import stat

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from csf_backup_plugin.hosts.protocol.values import Facts


def facts(path: str) -> Facts:
    """Return the facts on one path."""
    return look([path])[0]


def test_a_directory_is_reported_with_its_space_and_device(tmp_path: Path) -> None:
    """Links are followed."""
    (tmp_path / "link").symlink_to(tmp_path)
    found = facts(str(tmp_path / "link"))
    assert (found.kind, found.writable, found.resolved) == ("directory", True, str(tmp_path))
    assert found.device == tmp_path.stat().st_dev
    space = os.statvfs(tmp_path)
    assert 0 < found.free <= space.f_blocks * space.f_frsize


def test_of_what_is_missing_only_that_it_is_missing(tmp_path: Path) -> None:
    """A link to nothing exists."""
    (tmp_path / "link").symlink_to("nothing")
    for name, kind in (("none", "missing"), ("link", "other")):
        found = facts(str(tmp_path / name))
        assert (found.kind, found.free, found.device, found.disks) == (kind, 0, -1, frozenset())


def test_a_file_is_reported_with_its_size(tmp_path: Path) -> None:
    """A program that may only be written to is reported, too."""
    path = str(tmp_path / "a")
    (tmp_path / "a").write_bytes(b"123")
    (found,) = stat([path])
    assert (found.kind, found.size, facts(path).writable) == ("file", 3, True)


def test_a_device_is_neither_file_nor_directory() -> None:
    """A database is a regular file."""
    assert facts(os.devnull).kind == "other"


def test_the_stamp_changes_with_the_file(tmp_path: Path) -> None:
    """It changes for new contents of the same length, and for a replaced file."""
    path = tmp_path / "a.db"
    stamps = []
    for name, contents in (("a.db", b"one"), ("a.db", b"two"), ("other", b"two")):
        (tmp_path / name).write_bytes(contents)
        (tmp_path / name).replace(path)
        stamps.append(stat([str(path)])[0].stamp)
    assert len(set(stamps)) == 3
    assert stat([str(path)])[0].stamp == stamps[-1]


def test_where_there_is_no_proc_no_mount_is_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The mount is unknown then."""
    monkeypatch.setattr(module, "MOUNTINFO", str(tmp_path / "none"))
    found = facts(str(tmp_path))
    assert (found.kind, found.mount, found.place, found.filesystem) == ("directory", "", "", "")
