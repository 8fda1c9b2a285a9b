"""File systems that cannot fsync directories: the work is done, with a warning."""

from __future__ import annotations

import errno
import os
import stat
from typing import TYPE_CHECKING

import pytest

from csf_backup_plugin.hosts.local.host import LocalHost
from csf_backup_plugin.operations.backup import back_up
from csf_backup_plugin.operations.backup.request import BackupRequest
from csf_backup_plugin.operations.restore import restore
from csf_backup_plugin.operations.restore.request import RestoreRequest
from doubles import Memory

if TYPE_CHECKING:
    from conftest import Place, Tools


def test_a_backup_and_a_restore_are_done_and_reported(
    place: Place, tools: Tools, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The warning names the directory."""
    fsync = os.fsync

    def files_only(descriptor: int) -> None:
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            raise OSError(errno.EINVAL, "Invalid argument")
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", files_only)
    image = f"localhost:{place.image}"
    made = back_up(BackupRequest.parse(place.master, image), LocalHost(), Memory())
    asked = RestoreRequest.parse(place.master, image)
    done = restore(asked, LocalHost(), Memory(), lambda _plan: True)
    for warnings, directory, what in (
        (made.warnings, place.images, "the backup"),
        (done.warnings, place.repository, "the restore"),
    ):
        assert [warning for warning in warnings if "has reached the disk" in warning] == [
            f"the file system of {directory} on localhost does not say when a file's name has "
            f"reached the disk: a power cut within the next minute may undo {what}"
        ]
