"""What is mounted where, read from texts like mountinfo."""

from __future__ import annotations

import pytest

from csf_backup_plugin.hosts.mountinfo import parse

ODD = "/\udce4\x85"  # a byte that is no text, and what str.splitlines takes for the end of a line
TEXT = rf"""
22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
30 22 8:17 / /a\040b\134c rw - xfs /dev/sdb1 rw
31 22 0:40 / /net rw shared:2 master:3 - autofs auto.net rw
32 31 0:41 / /net/x rw - nfs4 filer:/export/x\040y rw,addr=10.0.0.1
33 22 8:1 /srv/r /bind ro - ext4 /dev/sda1 rw
34 22 8:1 /var/lib /var/lib rw - ext4 /dev/sda1 rw
35 22 0:42 / /mnt rw - tmpfs  rw
36 35 0:43 / /mnt/under rw - tmpfs low rw
37 35 0:44 / /mnt rw - tmpfs top rw
38 22 0:45 / {ODD} rw - fuse.sshfs me@far:/d rw
"""


@pytest.mark.parametrize(
    ("path", "point", "place", "kind", "source"),
    [
        ("/", "/", "8:1:/", "ext4", "/dev/sda1"),
        ("/srv/r/x", "/", "8:1:/srv/r/x", "ext4", "/dev/sda1"),
        ("/a b\\c/x", "/a b\\c", "8:17:/x", "xfs", "/dev/sdb1"),
        ("/a bx", "/", "8:1:/a bx", "ext4", "/dev/sda1"),
        ("/net/x", "/net/x", "0:41:filer:/export/x y", "nfs4", "filer:/export/x y"),
        ("/net/y", "/net", "0:40:/y", "autofs", "auto.net"),
        ("/bind", "/bind", "8:1:/srv/r", "ext4", "/dev/sda1"),
        ("/bind/x", "/bind", "8:1:/srv/r/x", "ext4", "/dev/sda1"),
        ("/var/lib/x", "/", "8:1:/var/lib/x", "ext4", "/dev/sda1"),
        ("/mnt/under", "/mnt", "0:44:/under", "tmpfs", "top"),
        (f"{ODD}/d", ODD, "0:45:/d", "fuse.sshfs", "me@far:/d"),
    ],
)
def test_a_path_is_on_the_mount_that_the_kernel_would_find(
    path: str, point: str, place: str, kind: str, source: str
) -> None:
    """Escapes are decoded, hidden mounts ignored, and a bind of a directory on itself is none."""
    found = parse(TEXT).at(path)
    assert found
    assert (found.point, found.type, found.source) == (point, kind, source)
    assert found.place(path) == place


def test_below_a_root_directory_that_is_no_mount_only_what_is_mounted_there_is_reported() -> None:
    """In a chroot(2) in a plain directory, the top mount is not visible."""
    mounts = parse("30 22 8:17 / /disk rw - xfs /dev/sdb1 rw\n31 30 0:9 / /disk/x rw - tmpfs t rw")
    assert mounts.at("/r") is None
    told = [found.point for path in ("/disk/r", "/disk/x/y") if (found := mounts.at(path))]
    assert told == ["/disk", "/disk/x"]


def test_a_mount_that_is_its_own_parent_is_the_top() -> None:
    """Some namespaces have one, see proc_pid_mountinfo(5)."""
    found = parse("1 1 0:2 / / rw - rootfs rootfs rw\n").at("/x")
    assert found
    assert found.type == "rootfs"


def test_two_directories_of_one_nfs_server_are_two_places() -> None:
    """Linux reports the same device and root for both."""
    mounts = parse(
        "22 1 8:1 / / rw - ext4 /dev/sda1 rw\n"
        "30 22 0:50 / /databases rw - nfs4 filer:/vol/databases rw\n"
        "31 22 0:50 / /backup rw - nfs4 filer:/vol/backup rw\n"
    )
    at_databases, at_backup = mounts.at("/databases"), mounts.at("/backup/lib")
    assert at_databases
    assert at_backup
    assert at_databases.place("/databases") == "0:50:filer:/vol/databases"
    assert at_backup.place("/backup/lib") == "0:50:filer:/vol/backup/lib"


def test_of_no_mounts_none_is_reported() -> None:
    """There may be no /proc."""
    assert parse("").at("/") is None
