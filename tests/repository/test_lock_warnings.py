"""File systems without locks: every command continues, with a warning."""

from __future__ import annotations

import errno
import fcntl
from typing import TYPE_CHECKING

import pytest

from csf_backup_plugin.hosts.local.host import LocalHost
from csf_backup_plugin.operations.backup import back_up
from csf_backup_plugin.operations.backup.request import BackupRequest
from csf_backup_plugin.operations.class_creation import recorded_creation
from csf_backup_plugin.operations.manifest import change_manifest
from csf_backup_plugin.operations.manifest.request import ManifestChange
from csf_backup_plugin.operations.restore import restore
from csf_backup_plugin.operations.restore.request import RestoreRequest
from csf_backup_plugin.repository.model import Repository
from doubles import Memory

if TYPE_CHECKING:
    from conftest import Place, Tools

MEANING = (
    "lib.db.lock cannot be locked (No locks available): its file system has no locks, so nothing "
    "prevents a class_create, a backup or a restore from running at the same time"
)


@pytest.fixture(autouse=True)
def no_locks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make flock(2) fail as on NFS without lockd."""

    def fail(*_: object) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", fail)


def test_a_backup_a_restore_a_rebuild_and_a_class_create_are_done_and_reported(
    place: Place, tools: Tools
) -> None:
    """Each gives a warning, and none waits for an unknown holder."""
    image = f"localhost:{place.image}"
    request = BackupRequest.parse(place.master, image)
    made = back_up(request, LocalHost(), Memory())
    asked = RestoreRequest.parse(place.master, image)
    done = restore(asked, LocalHost(), Memory(), lambda plan: MEANING in plan.warnings[-1])
    change = ManifestChange(rebuild=True)
    changed = change_manifest(Repository(place.master), change, 0, LocalHost(), Memory())
    told: list[str] = []
    (place.repository / "New.db").touch()
    creation = recorded_creation(place.master, 0, LocalHost(), told.append)
    next(creation)
    with pytest.raises(StopIteration):
        creation.send(str(place.repository / "New.db"))
    for warnings in (made.warnings, done.warnings, changed.warnings, told):
        assert [warning for warning in warnings if MEANING in warning]
    assert len(told) == 1
