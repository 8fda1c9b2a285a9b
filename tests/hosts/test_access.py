"""The permissions of a file that replaces another one: no user loses access."""

from __future__ import annotations

import errno
import grp  # noqa: F401  # other users may not be able to read Python's library
import os
import pwd  # noqa: F401  # likewise
from typing import TYPE_CHECKING

import pytest
from users import ACL, ALICE, BOB, CAROL, TEAM, acl, let_bob_in, may_write, shared_directory, user

from csf_backup_plugin.hosts.local import writing

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NONE = 0xFFFFFFFF


@pytest.fixture
def shared() -> Iterator[Path]:
    """Return a directory of alice's team, without the set-group-ID bit."""
    with shared_directory(0o775, TEAM) as path:
        yield path


@pytest.fixture
def manifest(shared: Path) -> Path:
    """Return a file of alice that her team may write."""
    path = shared / "lib.db.manifest"
    path.write_bytes(b"old")
    os.chown(path, ALICE, TEAM)
    path.chmod(0o664)
    return path


def members(*_: object) -> list[int]:
    """Replace the group database: alice is in the team."""
    return [ALICE, TEAM]


def test_what_a_member_replaces_the_owner_may_write_by_the_group(
    manifest: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only root may give the file back to its owner; no ACL is needed."""
    monkeypatch.setattr(os, "getgrouplist", members)
    with user(BOB, TEAM):
        assert writing.replace(str(manifest), b"new", like=str(manifest)) == ""
        beside = f"{manifest}.new"
        assert writing.publish(beside, b"new", like=str(manifest)) == ""
    for path in (manifest, beside):
        status = os.stat(path)
        assert (status.st_uid, status.st_gid, status.st_mode & 0o777) == (BOB, TEAM, 0o664)
        assert may_write(path, ALICE, TEAM)
        assert ACL not in os.listxattr(path)


def test_what_another_user_replaces_its_users_may_write_by_an_acl(manifest: Path) -> None:
    """These are the owner, its group and the ACL's users; the new owner's group gains nothing."""
    let_bob_in(manifest.parent)
    entries = (
        (1, 7, NONE),
        *((2, 7, BOB), (2, 7, CAROL), (4, 6, NONE), (0x10, 6, NONE), (0x20, 4, NONE)),
    )
    os.setxattr(manifest, ACL, acl(*entries))
    with user(BOB):
        assert writing.replace(str(manifest), b"new", like=str(manifest)) == ""
    assert manifest.stat().st_uid == BOB
    for number, group in ((ALICE, ALICE), (BOB, BOB), (CAROL, CAROL), (9, TEAM)):
        assert may_write(manifest, number, group)
    assert not may_write(manifest, 9, BOB)
    assert not may_write(manifest, 9)


def test_what_is_masked_in_an_acl_stays_so(manifest: Path) -> None:
    """This holds even if an entry is added for the former owner."""
    let_bob_in(manifest.parent)
    entries = ((1, 6, NONE), (2, 6, CAROL), (4, 6, NONE), (0x10, 4, NONE), (0x20, 0, NONE))
    os.setxattr(manifest, ACL, acl(*entries))
    with user(BOB):
        assert writing.publish(f"{manifest}.new", b"new", like=str(manifest)) == ""
    assert may_write(f"{manifest}.new", ALICE)
    for number, group in ((CAROL, CAROL), (9, TEAM)):
        assert not may_write(f"{manifest}.new", number, group)


def test_root_keeps_owner_group_mode_and_acl(manifest: Path) -> None:
    """The executable bits are removed."""
    let_bob_in(manifest.parent)
    entries = ((1, 7, NONE), (2, 6, CAROL), (4, 4, NONE), (0x10, 6, NONE), (0x20, 0, NONE))
    os.setxattr(manifest, ACL, acl(*entries))
    assert writing.replace(str(manifest), b"new", like="/no") == ""
    status = manifest.stat()
    assert (status.st_uid, status.st_gid, status.st_mode & 0o777) == (ALICE, TEAM, 0o660)
    assert os.getxattr(manifest, ACL) == acl((1, 6, NONE), *entries[1:])


def test_an_acl_that_the_directory_hands_down_is_not_taken_for_the_files_own(
    manifest: Path,
) -> None:
    """Its users get what they had before."""
    let_bob_in(manifest.parent)
    entries = ((1, 7, NONE), (2, 7, CAROL), (4, 7, NONE), (0x10, 7, NONE), (0x20, 7, NONE))
    os.setxattr(manifest.parent, "system.posix_acl_default", acl(*entries))
    assert writing.replace(str(manifest), b"new", like="/no") == ""
    assert ACL not in os.listxattr(manifest)
    assert manifest.stat().st_mode & 0o777 == 0o664


def test_who_is_locked_out_all_the_same_is_told(
    manifest: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There may be no ACLs, and the new owner may not be in the group."""

    def refuse(*_: object) -> None:
        raise OSError(errno.EOPNOTSUPP, "Operation not supported")

    monkeypatch.setattr(os, "setxattr", refuse)
    manifest.parent.chmod(0o777)
    with user(BOB):
        assert writing.replace(str(manifest), b"new", like="/no") == "group games and bin"
    assert manifest.stat().st_mode & 0o777 == 0o644
    os.chown(manifest, 54321, 54322)
    with user(BOB):
        lost = writing.replace(str(manifest), b"new", like="/no")
    assert lost == "user 54321"  # without write permission it can still be read


def test_what_everybody_may_do_the_owner_may(manifest: Path) -> None:
    """No second entry is added for the owner."""
    manifest.chmod(0o666)
    manifest.parent.chmod(0o777)
    with user(BOB):
        assert writing.replace(str(manifest), b"new", like="/no") == ""
    assert not [entry for entry in os.listxattr(manifest) if entry == ACL]
