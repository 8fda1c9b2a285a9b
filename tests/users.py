"""Other users of this machine, whom only root can be."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

ALICE, BOB, CAROL = 2, 3, 5  # bin, sys and games; each has a group of the same number
TEAM = 60  # games
ACL = "system.posix_acl_access"


@contextlib.contextmanager
def user(number: int, *groups: int) -> Iterator[None]:
    """Act as another user while the block runs, with that group and more."""
    before = os.getgroups()
    os.setgroups(groups)
    os.setegid(number)
    os.seteuid(number)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(0)
        os.setgroups(before)


def may_write(path: Path | str, number: int, *groups: int) -> bool:
    """Tell whether a user may read and write a file."""
    with user(number, *groups):
        try:
            os.close(os.open(path, os.O_RDWR))
        except PermissionError:
            return False
        return True


def acl(*entries: tuple[int, int, int]) -> bytes:
    """Return an ACL from tags, permissions and ids, in the kernel's form."""
    return b"\2\0\0\0" + b"".join(
        tag.to_bytes(2, "little") + may.to_bytes(2, "little") + one.to_bytes(4, "little")
        for tag, may, one in entries
    )


@contextlib.contextmanager
def shared_directory(mode: int, group: int) -> Iterator[Path]:
    """Make a directory that other users can reach, unlike pytest's."""
    if os.geteuid() != 0:
        pytest.skip("only root can be other users")
    path = Path(tempfile.mkdtemp())
    os.chown(path, ALICE, group)
    path.chmod(mode)
    try:
        yield path
    finally:
        shutil.rmtree(path)


def let_bob_in(path: Path) -> None:
    """Give bob access to a directory by its ACL; skip if the file system has none."""
    try:
        os.setxattr(path, ACL, acl((1, 7, ~0 & 0xFFFFFFFF), (2, 7, BOB), *REST))
    except OSError as error:
        pytest.skip(f"{path} can have no ACL: {error}")


_NONE = 0xFFFFFFFF
REST = ((4, 7, _NONE), (0x10, 7, _NONE), (0x20, 5, _NONE))
