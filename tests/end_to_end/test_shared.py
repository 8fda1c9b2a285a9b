"""A repository that users share: no command of one user locks the others out."""

from __future__ import annotations

import errno
import grp  # noqa: F401  # other users may not be able to read Python's library
import os
import pwd  # noqa: F401  # likewise
from typing import TYPE_CHECKING

import pytest
from users import ACL, ALICE, BOB, TEAM, acl, let_bob_in, may_write, shared_directory, user

from csf_backup_plugin.hosts.local.host import LocalHost
from csf_backup_plugin.operations.class_creation import recorded_creation
from csf_backup_plugin.operations.manifest import change_manifest
from csf_backup_plugin.operations.manifest.request import ManifestChange
from csf_backup_plugin.repository import manifest
from csf_backup_plugin.repository.model import Repository
from doubles import Memory

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NONE = 0xFFFFFFFF


@pytest.fixture
def directory() -> Iterator[Path]:
    """Return alice's repository, which her team may change; new files do not inherit its group."""
    with shared_directory(0o775, TEAM) as path:
        for name in ("lib.db", "Book.db"):
            (path / name).write_bytes(b"data")
            os.chown(path / name, ALICE, TEAM)
            (path / name).chmod(0o664)
        yield path


def rebuild(directory: Path) -> tuple[str, ...]:
    """Rebuild the manifest; return the warnings."""
    repository, change = Repository(str(directory / "lib.db")), ManifestChange(rebuild=True)
    return change_manifest(repository, change, 0, LocalHost(), Memory()).warnings


def test_after_a_members_class_create_and_rebuild_the_owner_has_the_manifest(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The owner can use the manifest, whichever member created or rebuilt it."""
    path = directory / "lib.db.manifest"
    monkeypatch.setattr(os, "getgrouplist", lambda *_: [ALICE, TEAM])
    with user(BOB, TEAM):
        creation = recorded_creation(str(directory / "lib.db"), 0, LocalHost(), print)
        next(creation)
        (directory / "New.db").write_bytes(b"data")
        with pytest.raises(StopIteration):
            creation.send(str(directory / "New.db"))
    assert may_write(path, ALICE, TEAM)
    with user(ALICE, TEAM):
        assert rebuild(directory) == ()
    with user(BOB, TEAM):
        assert rebuild(directory) == ()
    assert (path.stat().st_uid, path.stat().st_gid) == (BOB, TEAM)
    assert may_write(path, ALICE, TEAM)
    assert set(manifest.decode(path.read_bytes()).names) == {"lib.db", "Book.db", "New.db"}


@pytest.mark.parametrize("has_acls", [True, False], ids=["ACLs", "no ACLs"])
def test_after_the_rebuild_of_one_who_has_access_by_an_acl_all_have_the_manifest(
    directory: Path, monkeypatch: pytest.MonkeyPatch, *, has_acls: bool
) -> None:
    """All can use the manifest; or the message names who cannot, and what root can do."""
    path = directory / "lib.db.manifest"
    with user(ALICE, TEAM):
        rebuild(directory)
    os.chown(path, ALICE, TEAM)
    let_bob_in(directory)
    entries = ((1, 6, NONE), (2, 6, BOB), (4, 6, NONE), (0x10, 6, NONE), (0x20, 4, NONE))
    for name in ("lib.db", "Book.db", path.name):
        os.setxattr(directory / name, ACL, acl(*entries))

    def refuse(*_: object) -> None:
        raise OSError(errno.EOPNOTSUPP, "Operation not supported")

    if not has_acls:
        monkeypatch.setattr(os, "setxattr", refuse)
    with user(BOB):
        warnings = rebuild(directory)
    assert may_write(path, ALICE, ALICE) == may_write(path, 9, TEAM) == has_acls
    assert may_write(path, BOB)
    assert [warning.partition(" may not use")[0] for warning in warnings] == [
        "group games and bin"
    ] * (not has_acls)
