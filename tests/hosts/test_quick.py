"""The host that is ready at once does what the whole one does."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from csf_backup_plugin.errors import LockBusy
from csf_backup_plugin.hosts.local.host import LocalHost
from csf_backup_plugin.hosts.local.quick import QuickHost

if TYPE_CHECKING:
    from pathlib import Path


def test_it_locks_for_all_hosts(tmp_path: Path) -> None:
    """A whole host waits for it."""
    path = str(tmp_path / "lock")
    busy = LocalHost().lock(path, "x", 0, print)
    with QuickHost().lock(path, "x", 0, print), pytest.raises(LockBusy), busy:
        pass


def test_it_appends_and_reads(tmp_path: Path) -> None:
    """A missing file is None, and one that cannot be read an error."""
    path = str(tmp_path / "file")
    assert QuickHost().read(path) is None
    (tmp_path / "file").write_bytes(b"one\n")
    QuickHost().append(path, b"two\n")
    assert QuickHost().read(path) == b"one\ntwo\n"
    with pytest.raises(OSError, match="Not a directory"):
        QuickHost().read(f"{path}/below")
    os.symlink(path, tmp_path / "link")
    with pytest.raises(OSError, match="Is a symbolic link"):
        QuickHost().read(str(tmp_path / "link"))


def test_it_does_all_else_as_a_whole_host(tmp_path: Path) -> None:
    """Which is loaded then."""
    host = QuickHost()
    host.publish(str(tmp_path / "file"), b"")
    assert host.stat([str(tmp_path / "file")]) == LocalHost().stat([str(tmp_path / "file")])
    with pytest.raises(AttributeError):
        host.guess()
