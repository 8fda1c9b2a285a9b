"""Which disks image and databases share."""

from __future__ import annotations

from typing import Any

import pytest

from csf_backup_plugin.operations.shared_disk import is_same, is_within, shared_disk, warnings
from doubles import MemoryHost


def at(path: str, disks: str = "", vital: str | None = None, **more: Any) -> Any:
    """Return the facts of a directory on disks, each named by a letter."""
    host = MemoryHost({}, [path])
    facts = {"disks": frozenset(disks), "vital": frozenset(disks if vital is None else vital)}
    host.facts[path] = {**facts, **more}
    return host.look([path])[0]


@pytest.mark.parametrize(
    ("image", "home", "shared"),
    [
        (at("/b", "b", device=2), at("/r", "a"), "no"),
        (at("/b", "ab", device=2), at("/r", "a"), "yes"),
        (at("/b"), at("/r"), "yes"),
        (at("/b", device=2), at("/r"), "unknown"),
        (at("/b", "b", device=2), at("/r"), "unknown"),
        # One array of two disks; two arrays on the same two; an array, and a disk of it.
        (at("/b", "ab", ""), at("/r", "ab", ""), "array"),
        (at("/b", "ab", "", device=2), at("/r", "ab", ""), "array"),
        (at("/b", "a", device=2), at("/r", "ab", ""), "array"),
        (at("/b", "abc", "c", device=2), at("/r", "abc", "c"), "yes"),
        (at("/b", "ab", "", device=2), at("/r", "cd", ""), "no"),
    ],
)
def test_a_disk_is_shared_if_its_failure_takes_both(image: Any, home: Any, shared: str) -> None:
    """A redundant array survives it; an unknown disk is never reported as fine."""
    assert shared_disk(image, {"/r": home}) == shared
    told = [*warnings(image, {"/r": home}, ["/r/lib.db"])]
    assert len(told) == (shared == "yes")


def test_of_several_directories_the_worst_is_reported() -> None:
    """Each directory may be on its own disks."""
    image = at("/b", "b", device=2)
    homes = {"/r": at("/r", "a"), "/x": at("/x"), "/y": at("/y", "bc", "c"), "/z": at("/z", "b")}
    assert shared_disk(image, homes) == "yes"
    del homes["/z"]
    assert shared_disk(image, homes) == "unknown"
    del homes["/x"]
    assert shared_disk(image, homes) == "array"


def test_what_is_shared_and_whose_it_is_is_reported() -> None:
    """The message says "all databases", or names some."""
    image = at("/b", "ab", device=2)
    homes = {"/r": at("/r", "a"), "/x": at("/x", "c"), "/y": at("/y", "bd")}
    databases = ["/r/lib.db", "/r/Book.db", "/x/x.db", "/y/y.db"]
    advice = ": its failure would take both. Use another disk; if this one is a redundant array, "
    advice += "say so: export "
    assert [*warnings(image, homes, databases)] == [
        f"image and /r/lib.db, /r/Book.db, /y/y.db share a physical disk (a, b){advice}"
        "'CSF_BACKUP_RAID=a b'"
    ]
    assert [*warnings(image, homes, databases[:2])] == [
        f"image and databases share a physical disk (a){advice}CSF_BACKUP_RAID=a"
    ]
    assert [*warnings(at("/b"), {"/r": at("/r")}, ["/r/lib.db"])] == [
        f"image and databases share a file system{advice}CSF_BACKUP_RAID=/"
    ]
    for mount in ("", "/a b"):  # unknown, or no name that the variable could have
        assert [*warnings(at("/b", mount=mount), {"/r": at("/r")}, ["/r/lib.db"])] == [
            "image and databases share a file system: its failure would take both. Use another disk"
        ]


def test_what_the_user_says_is_an_array_is_one() -> None:
    """All disks of the array must be named; where none is known, the mount point is."""
    image, homes = at("/b", "ab", device=2), {"/r": at("/r", "ab")}
    assert shared_disk(image, homes, ["a", "b"]) == "array"
    assert shared_disk(image, homes, ["a"]) == "yes"
    (told,) = warnings(image, homes, ["/r/lib.db"], ["a"])
    assert "share a physical disk (b)" in told
    assert told.endswith("'CSF_BACKUP_RAID=a b'")
    image, homes = at("/b", mount="/d"), {"/r": at("/r", mount="/d")}
    assert shared_disk(image, homes, ["/"]) == "yes"
    assert shared_disk(image, homes, ["/d"]) == "array"
    assert [*warnings(image, homes, ["/r/lib.db"], ["/d"])] == []
    assert shared_disk(at("/b", mount="/d"), {"/r": at("/r", mount="/e")}, ["/d"]) == "array"


@pytest.mark.parametrize(
    ("kind", "source", "words", "server"),
    [
        ("nfs4", "filer:/export", "network file system (nfs4 of filer:/export)", "filer"),
        ("nfs", "10.0.0.1:/e x", "network file system (nfs of 10.0.0.1:/e x)", "10.0.0.1"),
        ("nfs", "[fe80::1]:/e", "network file system (nfs of [fe80::1]:/e)", None),
        ("cifs", "//nas/share/x", "network file system (cifs of //nas/share/x)", "nas"),
        ("smb3", "//nas/share", "network file system (smb3 of //nas/share)", "nas"),
        ("fuse.sshfs", "me@far:/d", "FUSE file system (fuse.sshfs of me@far:/d)", "me@far"),
        ("fuse.sshfs", "far:", "FUSE file system (fuse.sshfs of far:)", "far"),
        ("fuse", "/dev/fuse", "FUSE file system (fuse of /dev/fuse)", None),
        ("fuse.mergerfs", "a:b", "FUSE file system (fuse.mergerfs of a:b)", None),
        ("ceph", "mon1:6789:/", "network file system (ceph of mon1:6789:/)", None),
        ("glusterfs", "one:/vol", "network file system (glusterfs of one:/vol)", None),
        ("lustre", "mgs@tcp:/fs", "network file system (lustre of mgs@tcp:/fs)", None),
        ("9p", "hostshare", "network file system (9p of hostshare)", None),
        ("virtiofs", "tag", "network file system (virtiofs of tag)", None),
    ],
)
def test_databases_on_another_machine_are_reported_with_that_machine(
    kind: str, source: str, words: str, server: str | None
) -> None:
    """osbackup should run there.

    A name that cannot be HOST, or may be another's, is not advised.
    """
    homes = {"/r": at("/r", "a", filesystem=kind, source=source)}
    (told,) = warnings(at("/b", "b", device=2), homes, ["/r/lib.db"])
    assert told.startswith(f"databases are on a {words}: /r/lib.db. ")
    if server:
        assert f"osbackup should run on {server}, where" in told
        assert f"-image-file {server}:PATH" in told
    else:
        assert "name that machine as HOST" in told


@pytest.mark.parametrize(
    "kind", ["", "ext4", "xfs", "btrfs", "overlay", "tmpfs", "fuseblk", "gfs2"]
)
def test_of_databases_on_this_machine_nothing_is_said(kind: str) -> None:
    """An image elsewhere is safe, too."""
    homes = {"/r": at("/r", "a", filesystem=kind, source="x:/y")}
    image = at("/b", "b", device=2, filesystem="nfs4", source="filer:/b")
    assert [*warnings(image, homes, ["/r/lib.db"])] == []


def test_databases_of_each_file_system_are_reported_once() -> None:
    """The number of its directories does not matter."""
    one = {"filesystem": "nfs4", "source": "filer:/a"}
    homes = {
        "/r": at("/r", "a", **one),
        "/x": at("/x", "a", **one),
        "/y": at("/y", "a", filesystem="nfs4", source="filer:/b"),
    }
    told = [*warnings(at("/b", "b", device=2), homes, ["/r/lib.db", "/x/x.db", "/y/y.db"])]
    assert ["/r/lib.db, /x/x.db." in told[0], "/y/y.db." in told[1], len(told)] == [True, True, 2]


def test_a_directory_is_the_same_by_device_and_inode() -> None:
    """This also holds on file systems that ignore case."""
    directory, twin = at("/r", inode=5), at("/R", inode=5)
    assert is_same(directory, at("/r", device=9))
    assert is_same(directory, twin)
    assert is_within(twin, directory)
    assert not is_same(directory, at("/x", inode=5, device=2))
    assert not is_same(at("/x"), at("/y"))
    assert not is_within(at("/x"), at("/y"))
    assert not is_within(at("/x", place="8:1:/a"), at("/y"))
