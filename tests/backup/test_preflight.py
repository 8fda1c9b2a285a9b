"""Every reason not to begin a backup, and what is worth a warning."""

from __future__ import annotations

from typing import Any

import pytest

from csf_backup_plugin import manifest
from csf_backup_plugin.backup.preflight import Plan, prepare, space_needed
from csf_backup_plugin.backup.request import BackupRequest
from csf_backup_plugin.errors import (
    ImageExists,
    NoSpace,
    RepositoryIncomplete,
    UnsafeImagePath,
    UtilityMissing,
)
from doubles import MemoryHost

REQUEST = BackupRequest.parse("/r/lib.db", "db1:/b/a.img")
FILES = {"/r/lib.db": b"12", "/r/Book.db": b"1"}
DISKS = {"/r": frozenset(["sda"]), "/b": frozenset(["sdb"])}


def host(files: dict[str, bytes] = FILES, **image_directory: Any) -> MemoryHost:
    """Return a host with repository and image directory on two disks."""
    made = MemoryHost(files, ["/b"])
    made.facts["/r"] = {"device": 1, "disks": DISKS["/r"]}
    made.facts["/b"] = {"device": 2, "disks": DISKS["/b"], **image_directory}
    return made


def plan(on: MemoryHost, request: BackupRequest = REQUEST) -> Plan:
    """Prepare, and make sure that nothing was written."""
    before = dict(on.files)
    try:
        return prepare(request, on)
    finally:
        assert on.files == before


def test_a_sound_repository_and_an_empty_directory_make_a_plan() -> None:
    """It has all that osbackup needs."""
    made = plan(host())
    assert made.found.coverage.paths == ["/r/lib.db", "/r/Book.db"]
    assert (made.osbackup, made.osrestore) == ("/os/bin/osbackup", "/os/bin/osrestore")
    assert (made.shared_disk, made.warnings) == ("no", ())


@pytest.mark.parametrize("path", REQUEST.image.files)
def test_nothing_of_the_image_may_exist(path: str) -> None:
    """Neither image nor import file nor receipt is ever overwritten."""
    with pytest.raises(ImageExists, match=f"db1:{path} exists"):
        plan(host({**FILES, path: b"precious"}))


@pytest.mark.parametrize(
    ("facts", "problem"),
    [
        ({"kind": "missing"}, "does not exist"),
        ({"kind": "file"}, "is not a directory"),
        ({"writable": False}, "is not writable"),
        ({"resolved": "/r"}, "lies inside the repository"),
        ({"resolved": "/r/deep/er"}, "lies inside the repository"),
    ],
)
def test_the_images_directory_must_be_there_writable_and_elsewhere(
    facts: dict[str, Any], problem: str
) -> None:
    """Links are followed before the repository is compared."""
    with pytest.raises(UnsafeImagePath, match=f"db1:/b {problem}"):
        plan(host(**facts))


def test_the_directory_is_judged_before_what_lies_in_it() -> None:
    """In a directory that cannot be searched nothing can be looked at."""
    on = host(writable=False)
    on.facts["/b/a.img"] = {"kind": "not to be asked"}
    with pytest.raises(UnsafeImagePath):
        plan(on)


def test_a_directory_whose_name_only_begins_like_the_repositorys_is_elsewhere() -> None:
    """/r2 is not inside /r."""
    plan(host(resolved="/r2"))


def test_an_image_below_a_repository_in_the_root_directory_is_inside_it() -> None:
    """Everything is inside /."""
    request = BackupRequest.parse("/lib.db", "db1:/b/a.img")
    with pytest.raises(UnsafeImagePath, match="inside the repository"):
        plan(MemoryHost({"/lib.db": b""}, ["/b"]), request)


def test_the_image_needs_the_databases_bytes_and_a_reserve() -> None:
    """One byte less than needed is not enough."""
    assert space_needed(10**9) == 10**9 + 10**7 + (1 << 20)
    needed = space_needed(3)
    plan(host(free=needed))
    with pytest.raises(NoSpace, match="3 of databases"):
        plan(host(free=needed - 1))


def test_an_incomplete_repository_is_refused() -> None:
    """Its image would not be whole."""
    with pytest.raises(RepositoryIncomplete):
        plan(host({**FILES, "/r/lib.db.manifest": manifest.encode(["lib.db", "Gone.db"])}))


@pytest.mark.parametrize("utility", ["osbackup", "osrestore"])
def test_both_utilities_must_be_found(utility: str) -> None:
    """A backup that could not be proven is not begun."""
    on = host()
    del on.utilities[utility]
    with pytest.raises(UtilityMissing, match=utility):
        plan(on)


@pytest.mark.parametrize(
    ("device", "disks", "shared"),
    [
        (1, frozenset(), "yes"),
        (2, frozenset(["sda", "sdc"]), "yes"),
        (2, frozenset(["sdc"]), "no"),
        (2, frozenset(), "unknown"),
    ],
)
def test_a_shared_disk_is_a_warning_and_an_unknown_one_is_called_so(
    device: int, disks: frozenset[str], shared: str
) -> None:
    """What is not known is never called fine."""
    made = plan(host(device=device, disks=disks))
    assert made.shared_disk == shared
    assert [warning.partition(":")[0] for warning in made.warnings] == (
        ["image and databases share a physical disk"] if shared == "yes" else []
    )


def test_what_the_manifest_does_not_list_and_what_is_no_file_are_warnings() -> None:
    """They are told by name."""
    on = host({**FILES, "/r/lib.db.manifest": manifest.encode(["lib.db"])})
    on.directories.add("/r/old.db")
    unlisted, directory = plan(on).warnings
    assert unlisted.startswith("/r/Book.db was not in the manifest")
    assert directory.startswith("/r/old.db has a database's name and is a directory")


def test_a_first_backup_does_not_warn_of_every_database() -> None:
    """Without a manifest, none of them could have been in it."""
    assert not plan(host()).warnings
