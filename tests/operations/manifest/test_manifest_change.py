"""Changing a manifest: adding, dropping, rebuilding, moving and copying."""

from __future__ import annotations

import errno
from typing import Any

import pytest
from receipts import ID, MACHINE_ID, made, receipts

from csf_backup_plugin.errors import (
    NOTHING_LEFT,
    FaultFound,
    NoSpace,
    RepositoryIncomplete,
    UsageError,
    WrongRepository,
)
from csf_backup_plugin.image.path import ImagePath
from csf_backup_plugin.operations.manifest import ChangedManifest, change_manifest
from csf_backup_plugin.operations.manifest.request import ManifestChange
from csf_backup_plugin.repository import manifest
from csf_backup_plugin.repository.identity import Identity
from csf_backup_plugin.repository.manifest import Manifest
from csf_backup_plugin.repository.manifest_lines import encode_lines
from csf_backup_plugin.repository.model import Repository
from doubles import Memory, MemoryHost

REPOSITORY = Repository("/r/lib.db")
OWN = Identity(ID, MACHINE_ID, "db1", "/r/lib.db")
IMAGE = ImagePath("db1", "/b/a")


def host_with(data: bytes | None, **files: bytes) -> MemoryHost:
    """Return a host with a repository, a manifest with these lines, and more files beside it."""
    beside = {f"/r/{name.replace('_', '.')}": data for name, data in files.items()}
    host = MemoryHost({"/r/lib.db": b"", "/r/Book.db": b"", **beside}, ["/else", "/b"])
    host.files.update({} if data is None else {REPOSITORY.manifest: data})
    return host


def change(host: MemoryHost, **words: Any) -> ChangedManifest:
    """Change the manifest."""
    return change_manifest(REPOSITORY, ManifestChange(**words), 0, host, Memory())


def recorded(host: MemoryHost) -> Manifest:
    """Return the contents of the manifest."""
    return manifest.decode(host.files[REPOSITORY.manifest])


def test_a_database_is_added_by_one_append() -> None:
    """A name in the directory is enough; a database that is listed already is not written again."""
    before = manifest.encode(["lib.db"], OWN)
    host = host_with(before, x_mdb=b"")
    host.files["/else/y"] = b""
    changed = change(host, add=("/r/x.mdb", "/else/y", "/r/lib.db"))
    assert changed.added == ("/r/x.mdb", "/else/y")
    assert host.files[REPOSITORY.manifest] == before + encode_lines(["x.mdb", "/else/y"])
    assert change(host, add=("/r/x.mdb",)).added == ()
    assert (changed.rebuilt, changed.identity) == (False, OWN)


def test_a_database_is_dropped_though_it_stays_on_disk() -> None:
    """Its suffix does not bring it back until it is added again."""
    host = host_with(manifest.encode(["lib.db", "Book.db", "/else/gone"]))
    changed = change(host, drop=("/r/Book.db", "/else/gone"))
    assert changed.dropped == ("/r/Book.db", "/else/gone")
    assert changed.found.coverage.paths == ["/r/lib.db"]
    assert recorded(host).dropped == ("Book.db", "/else/gone")
    assert change(host, drop=("/r/Book.db",)).dropped == ()
    assert change(host, rebuild=True).found.coverage.paths == ["/r/lib.db"]
    assert recorded(host).dropped == ("Book.db", "/else/gone")
    change(host, add=("/r/Book.db",))
    assert recorded(host).names == ("lib.db", "Book.db")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ({"add": ("/r/none.db",)}, "no such files to add: /r/none.db"),
        ({"add": ("/else",)}, "no such files to add: /else"),
        ({"drop": ("/r/none.db",)}, "Neither in /r/lib.db.manifest nor on disk on db1: /r/none.db"),
        ({"drop": ("/r/lib.db",)}, "is the master database, so it cannot be dropped"),
    ],
)
@pytest.mark.parametrize("rebuild", [False, True])
def test_what_cannot_be_added_or_dropped_is_refused(
    words: dict[str, Any], message: str, *, rebuild: bool
) -> None:
    """Nothing is changed."""
    host = host_with(manifest.encode(["lib.db"], OWN))
    before = dict(host.files)
    with pytest.raises(UsageError, match=message):
        change(host, rebuild=rebuild, **words)
    assert host.files == before


@pytest.mark.parametrize("rebuild", [False, True])
def test_what_another_repository_lists_is_not_added(*, rebuild: bool) -> None:
    """It must be dropped from the other one first."""
    host = host_with(manifest.encode(["lib.db"]), two_db=b"", a_db=b"")
    host.files["/r/two.db.manifest"] = manifest.encode(["a.db"])
    with pytest.raises(WrongRepository, match="another repository, /r/two.db on db1") as caught:
        change(host, add=("/r/a.db",), rebuild=rebuild)
    assert caught.value.next_step.endswith("-database /r/two.db -host db1 -drop /r/a.db")


@pytest.mark.parametrize("rebuild", [False, True])
def test_without_a_manifest_it_is_made(*, rebuild: bool) -> None:
    """It lists the databases in the directory, with those added and without those dropped."""
    host = host_with(None, x_mdb=b"", y_db=b"")
    changed = change(host, rebuild=rebuild, add=("/r/x.mdb",), drop=("/r/y.db",))
    assert changed.added == ("/r/lib.db", "/r/Book.db", "/r/x.mdb")
    assert (changed.rebuilt, changed.identity) == (True, None)
    assert recorded(host) == Manifest(("lib.db", "Book.db", "x.mdb"), ("y.db",))


def test_made_anew_it_keeps_id_and_number() -> None:
    """Databases that it listed anywhere are kept, if they exist."""
    before = manifest.encode(["lib.db", "Gone.db", "/else/x", "y.mdb"], OWN, {"/b/a": 7})
    host = host_with(before, y_mdb=b"")
    host.files["/else/x"] = b""
    changed = change(host, rebuild=True)
    assert (changed.added, changed.dropped) == (("/r/Book.db",), ("/r/Gone.db",))
    assert recorded(host) == Manifest(
        ("lib.db", "/else/x", "Book.db", "y.mdb"), (), OWN, {"/b/a": 7}, 7
    )
    assert changed.kept is None


@pytest.mark.parametrize("rest", [b"damage\n", b"12345678 /else/lo"])
def test_what_cannot_be_read_is_kept(rest: bytes) -> None:
    """The damaged manifest is kept for manual recovery, and causes no more warnings."""
    before = manifest.encode(["lib.db"], OWN) + rest
    host = host_with(before)
    changed = change(host, rebuild=True)
    assert changed.kept
    assert host.files[changed.kept] == before
    assert changed.damaged == ((4,) if rest.endswith(b"\n") else ())
    assert recorded(host) == Manifest(("lib.db", "Book.db"), (), OWN)


def test_what_may_be_either_repositorys_is_left_to_be_added() -> None:
    """The rebuilt manifest does not list such databases."""
    host = host_with(manifest.encode(["lib.db"]), two_db=b"")
    host.files["/r/two.db.manifest"] = manifest.encode(["two.db"])
    assert change(host, rebuild=True).found.ambiguous == ("/r/Book.db",)
    assert recorded(host).names == ("lib.db",)


def test_an_image_tells_id_number_and_databases() -> None:
    """Databases on disk are listed, and the others are reported."""
    sizes = dict.fromkeys(["/r/lib.db", "/else/x", "/else/gone", "/r/y.mdb"], 1)
    files = receipts(made("/b/a", 3, databases=sizes), made("/b/b", 9))
    host = host_with(None, y_mdb=b"")
    host.files.update({**files, "/else/x": b"", "/b/c.dbn": b""})
    changed = change(host, rebuild=True, image=ImagePath("db1", "/b/a"))
    assert changed.absent == ("/else/gone",)
    assert recorded(host) == Manifest(("lib.db", "/else/x", "Book.db", "y.mdb"), (), OWN, {}, 9)
    host.append(REPOSITORY.manifest, manifest.backup_line(10, "/b/d"))
    change(host, rebuild=True, image=ImagePath("db1", "/b/latest"))
    assert recorded(host)[3:5] == ({"/b/d": 10}, 10)


def test_an_image_does_not_bring_back_what_was_dropped_or_is_anothers() -> None:
    """Only -add brings back a dropped database; what another repository lists is refused."""
    sizes = dict.fromkeys(["/r/lib.db", "/r/Book.db", "/r/two.db"], 1)
    host = host_with(manifest.encode(["lib.db"], OWN) + manifest.dropped_lines(["Book.db"]))
    two = {"/r/two.db": b"", "/r/two.db.manifest": manifest.encode(["two.db"])}
    host.files.update({**receipts(made("/b/a", 3, databases=sizes)), **two})
    assert change(host, rebuild=True, image=IMAGE).added == ()
    assert recorded(host)[:2] == (("lib.db",), ("Book.db",))


def test_a_new_manifest_that_cannot_be_written_leaves_no_copy_of_the_old_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The manifest is unchanged, and needs no copy."""

    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    host = host_with(manifest.encode(["lib.db"]) + b"?\n")
    before = dict(host.files)
    monkeypatch.setattr(host, "replace", refuse)
    with pytest.raises(NoSpace) as caught:
        change(host, rebuild=True)
    assert caught.value.left == NOTHING_LEFT
    assert host.files == before


def test_beside_a_damaged_manifest_the_new_one_takes_nothing_that_may_be_the_others() -> None:
    """What can be read of the other counts as its own; what neither lists must be added."""
    host = host_with(None, two_db=b"", a_db=b"", b_db=b"")
    host.files["/r/two.db.manifest"] = manifest.encode(["two.db", "a.db"]) + b"?\n"
    assert change(host, rebuild=True).found.ambiguous == ("/r/Book.db", "/r/b.db")
    assert recorded(host).names == ("lib.db",)


def test_an_image_that_may_be_a_copys_tells_no_id() -> None:
    """Its databases count nevertheless."""
    host = host_with(None)
    host.files.update(receipts(made("/b/a", 3, settled=False)))
    assert change(host, rebuild=True, image=IMAGE).identity is None
    with pytest.raises(UsageError, match="It is not known which repository") as caught:
        change(host, rebuild=True, home="moved")
    assert "leave -moved out" in caught.value.next_step
    assert change(host, rebuild=True, home="moved", image=IMAGE).identity == OWN


def test_what_only_a_receipt_tells_can_be_dropped_too() -> None:
    """Otherwise the next backup would include it again, because of the receipt."""
    host = host_with(None)
    assert change(host, drop=("/else/gone",)).dropped == ()
    assert recorded(host).dropped == ("/else/gone",)


@pytest.mark.parametrize("damaged", [b"", b"?"])
def test_beside_a_manifest_that_cannot_be_read_nothing_is_added(damaged: bytes) -> None:
    """The unreadable manifest may list that database."""
    host = host_with(manifest.encode(["lib.db"]), two_db=b"", a_mdb=b"")
    host.files["/r/two.db.manifest"] = damaged
    with pytest.raises(WrongRepository, match="which repository these belong to is not known"):
        change(host, add=("/r/a.mdb",))


def test_a_copy_gives_up_what_was_not_copied() -> None:
    """The original's manifest still lists its databases elsewhere."""
    old = OWN._replace(master="/old/lib.db")
    host = host_with(manifest.encode(["lib.db", "/else/x"], old))
    host.files.update({"/else/x": b"", "/old/lib.db.manifest": manifest.encode(["/else/x"], old)})
    with pytest.raises(WrongRepository, match="They were not copied") as caught:
        change(host, rebuild=True, home="copied")
    assert caught.value.next_step.endswith("-rebuild -copied -drop /else/x")
    change(host, rebuild=True, home="copied", drop=("/else/x",))
    assert recorded(host).names == ("lib.db", "Book.db")


def test_a_name_that_no_line_can_hold_is_left_out() -> None:
    """The next backup says that it must be renamed."""
    host = host_with(None)
    host.files["/r/a\nb.db"] = b""
    change(host, rebuild=True)
    assert recorded(host).names == ("lib.db", "Book.db")


def test_a_link_in_the_manifests_place_is_refused() -> None:
    """The link is not followed."""
    host = host_with(None)
    host.unreadable[REPOSITORY.manifest] = OSError(errno.ELOOP, "Is a symbolic link")
    with pytest.raises(RepositoryIncomplete, match="Is a symbolic link"):
        change(host, rebuild=True)


@pytest.mark.parametrize(
    ("own", "others"),
    [
        (OWN, {"id": "2" * 32}),
        (None, {"master": "/q/lib.db"}),
        (OWN, {"master": "/r/other.db"}),
    ],
)
def test_another_repositorys_image_is_refused(own: Identity | None, others: dict[str, Any]) -> None:
    """Its databases belong to the other repository."""
    host = host_with(manifest.encode(["lib.db"], own))
    host.files.update(receipts(made("/b/a", 3, **others)))
    with pytest.raises(WrongRepository, match="is an image of"):
        change(host, rebuild=True, image=IMAGE)
    host.files.clear()
    host.files["/r/lib.db"] = b""
    with pytest.raises(FaultFound, match="no image db1:/b/a"):
        change(host, rebuild=True, image=IMAGE)


def test_one_that_was_moved_keeps_its_id_and_a_copy_gets_one() -> None:
    """The number continues only for the moved one."""
    old = OWN._replace(master="/old/lib.db", machine="db0")
    host = host_with(manifest.encode(["lib.db"], old, {"/b/a": 7}))
    assert change(host, rebuild=True).identity == old
    assert change(host, rebuild=True, home="moved").identity == OWN
    assert recorded(host).number == 7
    copy = change(host, rebuild=True, home="copied").identity
    assert copy
    assert copy.id != ID
    assert copy.changes(host.machine(), "/r/lib.db") == ()
    assert recorded(host).number == 0


def test_what_still_is_where_it_was_has_not_moved() -> None:
    """Two repositories would have one id; from another machine this cannot be checked."""
    old = OWN._replace(master="/old/lib.db")
    host = host_with(manifest.encode(["lib.db"], old))
    host.files["/old/lib.db.manifest"] = manifest.encode(["lib.db"], old)
    with pytest.raises(WrongRepository, match="is still at /old/lib.db") as caught:
        change(host, rebuild=True, home="moved")
    assert "-rebuild -copied" in caught.value.next_step
    host.files["/old/lib.db.manifest"] = manifest.encode(["lib.db"])
    assert change(host, rebuild=True, home="moved").identity == OWN


def test_an_image_made_before_a_move_tells_what_it_was() -> None:
    """They are the databases with the same names here."""
    sizes = dict.fromkeys(["/old/lib.db", "/old/x.mdb"], 1)
    old = made("/b/a", 3, master="/old/lib.db", databases=sizes)
    host = host_with(None, x_mdb=b"")
    host.files.update(receipts(old))
    changed = change(host, rebuild=True, home="moved", image=IMAGE)
    assert changed.identity == OWN
    assert recorded(host) == Manifest(("lib.db", "Book.db", "x.mdb"), (), OWN, {}, 3)
