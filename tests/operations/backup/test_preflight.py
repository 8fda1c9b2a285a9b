"""Every reason to refuse a backup, and what causes a warning."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest
from receipts import ID, MACHINE_ID, made, receipts

from csf_backup_plugin.errors import (
    ImageExists,
    LockBusy,
    NoSpace,
    NotMounted,
    RepositoryIncomplete,
    UnsafeImagePath,
    UtilityMissing,
    WrongRepository,
)
from csf_backup_plugin.exit_codes import ExitCode
from csf_backup_plugin.objectstore.room_and_time import space_needed
from csf_backup_plugin.operations.backup.preflight import Plan, prepare
from csf_backup_plugin.operations.backup.request import BackupRequest
from csf_backup_plugin.repository import manifest
from csf_backup_plugin.repository.identity import Identity
from doubles import Memory, MemoryHost

REQUEST = BackupRequest.parse("/r/lib.db", "db1:/b/a.img")
FILES = {"/r/lib.db": b"12", "/r/Book.db": b"1"}
DISKS = {"/r": frozenset(["sda"]), "/b": frozenset(["sdb"])}


def host(files: dict[str, bytes] = FILES, **image_directory: Any) -> MemoryHost:
    """Return a host with repository and image directory on two disks."""
    made = MemoryHost(files, ["/b"])
    made.facts["/r"] = {"device": 1, "disks": DISKS["/r"], "vital": DISKS["/r"]}
    made.facts["/b"] = {"device": 2, "disks": DISKS["/b"], "vital": DISKS["/b"], **image_directory}
    return made


def plan(on: MemoryHost, request: BackupRequest = REQUEST) -> Plan:
    """Prepare a backup; check that nothing was written."""
    before = dict(on.files)
    try:
        return prepare(request, on, Memory())
    finally:
        assert on.files == before


def test_a_sound_repository_and_an_empty_directory_make_a_plan() -> None:
    """The plan has everything that osbackup needs."""
    made = plan(host())
    assert made.found.coverage.paths == ["/r/lib.db", "/r/Book.db"]
    assert (made.argv[0], made.osrestore) == ("/os/bin/osbackup", "/os/bin/osrestore")
    assert (made.shared_disk, made.warnings) == ("no", ())


@pytest.mark.parametrize("path", REQUEST.image.whole_set)
def test_nothing_of_the_image_may_exist(path: str) -> None:
    """A file left beside a removed image would be taken for one of the new image."""
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
    """Links are resolved before the directory is compared with the repository's."""
    with pytest.raises(UnsafeImagePath, match=f"db1:/b {problem}"):
        plan(host(**facts))


def test_the_directory_is_judged_before_what_lies_in_it() -> None:
    """If the directory cannot be searched, no file in it can be examined."""
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
    """One byte less is refused."""
    assert space_needed(10**9) == 10**9 + 10**7 + (1 << 20)
    needed = space_needed(2 * 512)  # osbackup counts the sectors of each
    plan(host(free=needed))
    with pytest.raises(NoSpace, match="1,024 of databases"):
        plan(host(free=needed - 1))


def test_an_incomplete_repository_is_refused() -> None:
    """Its image would be incomplete."""
    with pytest.raises(RepositoryIncomplete):
        plan(host({**FILES, "/r/lib.db.manifest": manifest.encode(["lib.db", "Gone.db"])}))


@pytest.mark.parametrize("utility", ["osbackup", "osrestore"])
def test_both_utilities_must_be_found(utility: str) -> None:
    """A backup that cannot be proven is not started."""
    on = host()
    del on.utilities[utility]
    with pytest.raises(UtilityMissing, match=utility):
        plan(on)


def test_what_image_and_databases_lie_on_is_reported() -> None:
    """It is reported for each directory of databases, also those elsewhere."""
    listed = manifest.encode(["lib.db", "Book.db", "/far/x.db"])
    on = host({**FILES, "/far/x.db": b"1", "/r/lib.db.manifest": listed})
    on.facts["/far"] = {"device": 3, "disks": DISKS["/b"], "vital": DISKS["/b"]}
    on.facts["/r"].update(filesystem="nfs4", source="filer:/export")
    made = plan(on)
    assert made.shared_disk == "yes"
    shared, network = made.warnings
    assert shared.startswith("image and /far/x.db share a physical disk (sdb): its failure would")
    assert "(nfs4 of filer:/export): /r/lib.db, /r/Book.db. They move" in network


def test_who_knows_that_a_disk_is_an_array_can_say_so() -> None:
    """Only the user can know of an array behind a RAID controller."""
    on = host(disks=DISKS["/r"], vital=DISKS["/r"])
    (warning,) = plan(on).warnings
    assert warning.endswith("say so: export CSF_BACKUP_RAID=sda")
    made = plan(on, BackupRequest.parse("/r/lib.db", "db1:/b/a.img", arrays="sdx sda"))
    assert (made.shared_disk, made.warnings) == ("array", ())


def test_an_image_is_inside_the_repository_by_whatever_mount_it_is_reached() -> None:
    """The directories are compared by device and inode, since their paths may differ."""
    for facts in ({"device": 1, "inode": 5}, {"place": "8:1:/srv/r"}, {"place": "8:1:/srv/r/x"}):
        on = host(**facts)
        on.facts["/r"].update(inode=5, place="8:1:/srv/r")
        with pytest.raises(UnsafeImagePath, match="db1:/b lies inside the repository"):
            plan(on)
    on.facts["/b"].update(place="8:1:/srv/r2", inode=6)
    plan(on)


def test_what_the_manifest_does_not_list_and_what_is_no_file_are_warnings() -> None:
    """The warning names them."""
    on = host({**FILES, "/r/lib.db.manifest": manifest.encode(["lib.db"])})
    on.directories.add("/r/old.db")
    unlisted, directory = plan(on).warnings
    assert unlisted.startswith("/r/Book.db was not in the manifest")
    assert directory.startswith("/r/old.db has a database's name and is a directory")


def test_a_first_backup_does_not_warn_of_every_database() -> None:
    """Without a manifest, no database can have been listed."""
    assert not plan(host()).warnings


HOME = Identity(ID, MACHINE_ID, "db1", "/r/lib.db")


def listing(number: int = 1, master: str = "/r/lib.db") -> dict[str, bytes]:
    """Return the repository with a manifest that has a last number."""
    recorded = manifest.encode(
        ["lib.db", "Book.db"], HOME._replace(master=master), {"/b/z.img": number}
    )
    return {**FILES, "/r/lib.db.manifest": recorded}


@pytest.mark.parametrize(("listed", "beside"), [(9, 4), (4, 9)])
def test_the_last_number_is_the_highest_of_manifest_and_receipts(listed: int, beside: int) -> None:
    """Only images of the same repository count; the manifest may be older than they are."""
    others = receipts(made("/b/x.img", beside), made("/b/y.img", 99, id="2" * 32))
    standing = plan(host({**listing(listed), **others})).standing
    assert (standing.identity, standing.number, standing.is_new) == (HOME, 9, False)


def test_what_a_receipt_lists_is_missed_where_the_manifest_is_lost() -> None:
    """An image without that database would be incomplete."""
    sizes = dict.fromkeys((*FILES, "/far/x.db"), 1)
    files = {**FILES, "/far/x.db": b"1", **receipts(made("/b/x.img", 3, databases=sizes))}
    assert plan(host(files)).found.coverage.paths == ["/r/lib.db", "/far/x.db", "/r/Book.db"]
    del files["/far/x.db"]
    with pytest.raises(RepositoryIncomplete, match="/far/x.db"):
        plan(host(files))


def test_a_repository_that_is_elsewhere_than_it_was_is_reported() -> None:
    """The backup is made, with a warning."""
    found = plan(host(listing(master="/was/lib.db")))
    assert found.standing.changes == ("the path was /was/lib.db and is /r/lib.db",)
    (warning,) = found.warnings
    assert warning.startswith("this repository was moved or copied: the path was /was/lib.db and ")


def test_require_mount_refuses_a_directory_on_the_file_system_of_the_root() -> None:
    """The image would fill the disk of the system."""
    request = BackupRequest.parse("/r/lib.db", "db1:/b/a.img", require_mount=True)
    on = host()
    on.directories.add("/")
    on.facts["/"] = {"device": 2}
    assert plan(on).warnings == ()
    with pytest.raises(NotMounted, match="db1:/b is on the file system of /") as caught:
        plan(on, request)
    assert caught.value.exit_code == ExitCode.UNSAFE_IMAGE_PATH
    on.facts["/"] = {"device": 3}
    plan(on, request)


def test_the_mount_points_of_all_directories_are_known() -> None:
    """They are known for the directories of all databases and of the image."""
    files = {**FILES, "/far/x.db": b"", "/r/lib.db.manifest": manifest.encode(["/far/x.db"])}
    on = host(files, mount="/b")
    on.facts["/far"] = {"mount": "/far"}
    assert plan(on).mounts == {"/r": "/", "/far": "/far", "/b": "/b"}


def test_images_whose_backups_began_in_the_future_are_warnings() -> None:
    """A clock was wrong then, or is wrong now; up to five minutes are ignored."""
    later = "2026-11-25T12:05:01+00:00"
    told = made("/b/x.img", 1, started=later)
    fine = made("/b/y.img", 2, started="2026-11-25T12:05:00+00:00")
    (warning,) = plan(host({**listing(), **receipts(told, fine)})).warnings
    assert warning == (
        f"db1:/b/x.img says that its backup began at {later}, which is in the future: the host's "
        "clock says 2026-11-25T12:00:00+00:00"
    )


def test_images_that_cannot_be_listed_are_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    """The last number is then known from the manifest alone."""
    on = host({**listing(4), **receipts(made("/b/x.img", 9))})
    list_directory = on.list_directory

    def refuse(path: str) -> Any:
        if path == "/b":
            raise PermissionError(13, "Permission denied", path)
        return list_directory(path)

    monkeypatch.setattr(on, "list_directory", refuse)
    found = plan(on)
    assert found.standing.number == 4
    (warning,) = found.warnings
    assert warning.startswith("db1:/b cannot be listed (Permission denied): the number of the last")


def test_a_half_restored_repository_is_not_backed_up() -> None:
    """The message has the command that repeats the restore."""
    files = {**FILES, "/r/lib.db.unfinished-restore": b"csf admin_database_restore -x\n"}
    with pytest.raises(
        RepositoryIncomplete, match="A backup of them would be worth noth"
    ) as caught:
        plan(host(files))
    assert caught.value.next_step.startswith("Repeat the restore: csf admin_database_restore -x\n")


def test_a_database_that_may_be_another_repositorys_is_refused() -> None:
    """The manifest of the other repository lists a database of ours."""
    files = {**listing(), "/r/zoo.db": b""}
    files["/r/zoo.db.manifest"] = manifest.encode(["zoo.db", "Book.db"])
    with pytest.raises(WrongRepository, match="/r/Book.db"):
        plan(host(files))


class Creating(MemoryHost):
    """A host on which another repository in the directory is getting a class.

    The database exists; the manifest lists it once that repository's lock is free again.
    """

    busy = False

    def lock(
        self, *_: object, create: bool = True, **_options: object
    ) -> contextlib.nullcontext[None]:
        """Wait for the class_create that holds the lock."""
        assert not create
        if self.busy:
            raise LockBusy("It is held.", "Wait.")
        self.files["/r/two.db.manifest"] = manifest.encode(["two.db", "New.db"])
        return contextlib.nullcontext()


def test_a_class_that_another_repository_gets_just_now_is_waited_for() -> None:
    """Only that lock shows whose the database is; if it stays unlisted, the backup is refused."""
    two = {"/r/two.db": b"", "/r/New.db": b"", "/r/two.db.manifest": manifest.encode(["two.db"])}
    own = {"/r/lib.db.manifest": manifest.encode(["lib.db", "Book.db"])}
    creating = Creating({**FILES, **two, **own}, ["/b"])
    assert prepare(REQUEST, creating, Memory()).found.coverage.paths == ["/r/lib.db", "/r/Book.db"]
    creating = Creating({**FILES, **two, **own}, ["/b"])
    creating.busy = True
    for lasting in (creating, MemoryHost({**FILES, **two, **own}, ["/b"])):
        with pytest.raises(WrongRepository, match="lists 1 of the databases there: /r/New.db"):
            prepare(REQUEST, lasting, Memory())
