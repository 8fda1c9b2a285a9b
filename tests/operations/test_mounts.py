"""Whether the file systems are mounted that should be."""

from __future__ import annotations

import pytest

from csf_backup_plugin.errors import NotMounted
from csf_backup_plugin.exit_codes import ExitCode
from csf_backup_plugin.operations.mounts import (
    check_mounted,
    check_still_mounted,
    look_at_directories,
    mount_points,
)
from doubles import MemoryHost

HOST = MemoryHost({}, ["/", "/r", "/else"])
HOST.facts["/r"] = {"mount": "/r", "device": 7}


def test_mount_points_are_those_of_the_directories_that_are_there() -> None:
    """Each directory is examined once, and known facts are not asked again."""
    known = {"/r": HOST.look(["/r"])[0]}
    looked = look_at_directories(["/r/a", "/r/b", "/else/c", "/gone/d"], known, HOST)
    assert [*looked] == ["/else", "/gone", "/r"]
    assert mount_points(looked) == {"/r": "/r", "/else": "/"}
    assert mount_points({"/r": HOST.look(["/r"])[0]._replace(mount="")}) == {}


def test_a_mount_may_be_required() -> None:
    """It must be another file system than the root's."""
    root, mounted, plain = HOST.look(["/", "/r", "/else"])
    check_mounted("/r", mounted, root, HOST)
    with pytest.raises(NotMounted, match="db1:/else is on the file system of /") as caught:
        check_mounted("/else", plain, root, HOST)
    assert caught.value.exit_code == ExitCode.UNSAFE_IMAGE_PATH


@pytest.mark.parametrize(
    ("mounts", "refused"),
    [
        ({}, False),
        ({"/r": "/r", "/else": "/"}, False),
        ({"/r": "/"}, False),
        ({"/else": "/else"}, True),
        ({"/else": "/elsewhere", "/r": "/r"}, True),
        ({"/gone": "/gone"}, False),
        ({"/else": ""}, False),
    ],
)
def test_what_was_mounted_must_be_mounted(mounts: dict[str, str], *, refused: bool) -> None:
    """The empty mount point of a missing disk looks like a new disk."""
    names = ["/r", "/else", "/gone"]
    directories = dict(zip(names, HOST.look(names), strict=True))
    if not refused:
        check_still_mounted(mounts, directories, HOST)
        return
    with pytest.raises(NotMounted, match="its disk is not mounted") as caught:
        check_still_mounted(mounts, directories, HOST)
    assert "-accept-unmounted" in caught.value.next_step


def test_what_is_mounted_now_may_not_be_known() -> None:
    """An unknown mount is not reported as missing."""
    host = MemoryHost({}, ["/r"])
    host.facts["/r"] = {"mount": ""}
    with pytest.raises(NotMounted, match="mounted at /r, and which one it is on now is not known"):
        check_still_mounted({"/r": "/r"}, {"/r": host.look(["/r"])[0]}, host)


def test_a_mount_below_is_one_more_and_none_less() -> None:
    """The directory has got its own file system since then."""
    host = MemoryHost({}, ["/disk/r"])
    host.facts["/disk/r"] = {"mount": "/disk/r"}
    (at,) = host.look(["/disk/r"])
    check_still_mounted({"/disk/r": "/disk"}, {"/disk/r": at}, host)
