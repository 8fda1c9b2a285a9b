"""Updating the manifest: what is found or created is recorded, and nothing else."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING

import pytest

from csf_backup_plugin.image.backup_number import standing
from csf_backup_plugin.image.catalog import Catalog, ImageSet
from csf_backup_plugin.image.path import ImagePath
from csf_backup_plugin.image.receipt import Origin, Receipt
from csf_backup_plugin.repository import manifest, manifest_store, new_database
from csf_backup_plugin.repository.inventory import read_inventory, read_manifest, set_against
from csf_backup_plugin.repository.manifest_lines import encode_lines
from csf_backup_plugin.repository.model import Repository
from csf_backup_plugin.system_errors import HalfDone
from doubles import MemoryHost

if TYPE_CHECKING:
    from collections.abc import Iterable

REPOSITORY = Repository("/r/lib.db")
IMAGE = ImagePath("db1", "/b/x.img")
FILES = {"/r/lib.db": b"", "/r/Book.db": b""}


def listed(host: MemoryHost) -> tuple[str, ...]:
    """Return the databases that the manifest lists."""
    return manifest.decode(host.files[REPOSITORY.manifest]).names


def began(host: MemoryHost, catalog: Catalog | None = None) -> None:
    """Begin a backup."""
    recorded = read_manifest(REPOSITORY, host)
    now = standing(REPOSITORY, recorded, catalog or Catalog(), host.machine(), host)
    found = set_against(REPOSITORY, host, recorded, host.list_directory("/r"), now.adopted)
    (done,) = host.in_turn(manifest_store.beginning(found, now.entry(IMAGE)))
    done()


def test_a_first_backup_makes_the_manifest_from_the_directory() -> None:
    """The master database comes first; the repository gets an id, and the backup the number 1."""
    host = MemoryHost(FILES)
    began(host)
    found = manifest.decode(host.files[REPOSITORY.manifest])
    assert found.names == ("lib.db", "Book.db")
    assert found.identity
    assert found.identity.is_at(host.machine(), "/r/lib.db")
    assert found.backups == {"/b/x.img": 1}
    assert manifest_store.record(read_inventory(REPOSITORY, MemoryHost(FILES)), host) == []
    assert manifest.decode(host.files[REPOSITORY.manifest]) == found


def test_a_backup_appends_its_number() -> None:
    """A missing id is added; nothing else is changed."""
    before = manifest.encode(["lib.db"]) + manifest.backup_line(6, "/b/y")
    host = MemoryHost({**FILES, REPOSITORY.manifest: before})
    began(host)
    first = host.files[REPOSITORY.manifest]
    assert first.startswith(before)
    began(host)
    assert host.files[REPOSITORY.manifest] == first + manifest.backup_line(8, "/b/x.img")
    found = manifest.decode(first)
    assert (found.names, found.number) == (("lib.db",), 7)
    assert found.identity


def test_what_an_image_tells_of_a_lost_manifest_is_recorded_at_the_beginning() -> None:
    """These are its id, its number, and a database elsewhere."""
    origin = Origin("1" * 32, 4, "a" * 32, "db1")
    sizes = dict.fromkeys(["/r/lib.db", "/else/x.db"])
    receipt = Receipt("/r/lib.db", sizes, 1, None, "", "2026-11-25T12:00:00+00:00", IMAGE, origin)
    catalog = Catalog((ImageSet(IMAGE, receipt, 0.0),))
    host = MemoryHost(
        {**FILES, "/else/x.db": b"", REPOSITORY.manifest: manifest.encode(["lib.db"])}
    )
    began(host, catalog)
    found = manifest.decode(host.files[REPOSITORY.manifest])
    assert found.names == ("lib.db", "/else/x.db")
    assert (found.identity, found.number) == (origin.identity("/r/lib.db"), 5)


def test_a_database_found_on_disk_is_added() -> None:
    """The existing lines keep their bytes."""
    before = manifest.encode(["lib.db"])
    host = MemoryHost({**FILES, REPOSITORY.manifest: before})
    manifest_store.record(read_inventory(REPOSITORY, host), host)
    assert host.files[REPOSITORY.manifest].startswith(before)
    assert listed(host) == ("lib.db", "Book.db")


def test_a_manifest_that_lists_everything_is_not_touched() -> None:
    """A torn last line stays, too."""
    before = manifest.encode(["lib.db", "Book.db"]) + b"torn"
    host = MemoryHost({**FILES, REPOSITORY.manifest: before})
    manifest_store.record(read_inventory(REPOSITORY, host), host)
    assert host.files[REPOSITORY.manifest] == before


def test_a_manifest_that_cannot_be_written_is_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    """A proven backup is kept nevertheless."""

    def refuse(path: str, *_: object) -> None:
        raise OSError(errno.EROFS, "Read-only file system", path)

    host = MemoryHost({**FILES, REPOSITORY.manifest: manifest.encode(["lib.db"])})
    monkeypatch.setattr(host, "append", refuse)
    (warning,) = manifest_store.record(read_inventory(REPOSITORY, host), host)
    assert warning == "the manifest /r/lib.db.manifest was not updated: Read-only file system"
    with pytest.raises(OSError, match="Read-only"):
        began(host)


def test_a_new_database_is_one_append() -> None:
    """If it is in the repository's directory, its name is enough."""
    before = manifest.encode(["lib.db"])
    host = MemoryHost({**FILES, REPOSITORY.manifest: before})
    new_database.record(REPOSITORY, "/r/New.db", host)
    assert host.files[REPOSITORY.manifest] == before + encode_lines(["New.db"])


def test_a_new_database_elsewhere_is_recorded_by_its_path() -> None:
    """It belongs to the repository nevertheless."""
    host = MemoryHost({**FILES, REPOSITORY.manifest: manifest.encode(["lib.db"])}, ["/else"])
    new_database.record(REPOSITORY, "/else/New.db", host)
    assert listed(host) == ("lib.db", "/else/New.db")


def test_a_first_manifest_takes_nothing_that_may_be_another_repositorys() -> None:
    """Names that another one lists, or may have listed, or no line can hold are left out."""
    two = {"/r/two.db": b"", "/r/a.db": b"", "/r/New.db": b"", "/r/a\nb.db": b""}
    for listed_there, rest, names in (
        (b"", b"", ("lib.db", "New.db")),
        (manifest.encode(["two.db", "a.db"]), b"", ("lib.db", "New.db")),
        (manifest.encode(["two.db", "a.db"]), b"?\n", ("lib.db", "New.db")),
        (None, b"", ("lib.db", "Book.db", "New.db", "a.db", "two.db")),
    ):
        host = MemoryHost({**FILES, **two})
        if listed_there is not None:
            host.files["/r/two.db.manifest"] = listed_there + rest
        new_database.record(REPOSITORY, "/r/New.db", host)
        assert listed(host) == names


def test_without_a_manifest_the_first_new_database_makes_it() -> None:
    """It lists the directory, with the new database once; the next backup searches for an id."""
    host = MemoryHost(FILES)
    new_database.record(REPOSITORY, "/r/Book.db", host)
    assert host.files[REPOSITORY.manifest] == manifest.encode(["lib.db", "Book.db"])


NEW, DAMAGED = manifest.encode(["lib.db"]), b"damaged\n"


class Refusing(MemoryHost):
    """A host with a damaged manifest that cannot be replaced, and whose copy cannot be removed.

    Args:
        error: what is said to the new manifest.
        stays: whether the copy stays.
    """

    def __init__(self, error: OSError, *, stays: bool = False) -> None:
        super().__init__({**FILES, REPOSITORY.manifest: DAMAGED})
        self.error, self.stays = error, stays

    def replace(self, path: str, data: bytes, like: str | None = None) -> str:
        raise self.error

    def remove(self, paths: Iterable[str]) -> None:
        if self.stays:
            raise OSError(errno.EIO, "Input/output error", *paths)
        super().remove(paths)


def copies(host: MemoryHost) -> dict[str, bytes]:
    """Return the copies of damaged manifests."""
    return {path: data for path, data in host.files.items() if ".damaged-" in path}


def test_a_damaged_manifest_is_kept_once() -> None:
    """The copy that a killed run made is found again."""
    host = MemoryHost({**FILES, REPOSITORY.manifest: DAMAGED})
    for _ in range(2):
        kept, warnings = manifest_store.supersede(REPOSITORY, DAMAGED, NEW, host)
        assert copies(host) == {kept: DAMAGED}
        assert (host.files[REPOSITORY.manifest], warnings) == (NEW, [])


def test_a_new_manifest_that_fails_leaves_no_copy_that_was_not_there() -> None:
    """A copy that existed before stays."""
    host = Refusing(OSError(errno.ENOSPC, "No space left on device", REPOSITORY.manifest))
    with pytest.raises(OSError, match="No space"):
        manifest_store.supersede(REPOSITORY, DAMAGED, NEW, host)
    assert copies(host) == {}
    kept, _ = manifest_store.supersede(REPOSITORY, DAMAGED, NEW, MemoryHost(FILES))
    host.files[kept] = DAMAGED
    with pytest.raises(OSError, match="No space"):
        manifest_store.supersede(REPOSITORY, DAMAGED, NEW, host)
    assert copies(host) == {kept: DAMAGED}


@pytest.mark.parametrize(
    ("error", "left"),
    [
        (HalfDone(OSError(errno.EIO, "Bad"), "It was replaced."), "It was replaced. The damaged "),
        (OSError(errno.EIO, "Bad"), "/r/lib.db.manifest.damaged-"),
    ],
)
def test_a_copy_that_stays_after_a_failure_is_named(error: OSError, left: str) -> None:
    """It may be the only copy of the damaged manifest, or could not be removed."""
    host = Refusing(error, stays=True)
    with pytest.raises(HalfDone) as caught:
        manifest_store.supersede(REPOSITORY, DAMAGED, NEW, host)
    (kept,) = copies(host)
    assert caught.value.left.startswith(left)
    assert kept in caught.value.left


def test_who_is_locked_out_of_the_manifest_is_told_with_what_root_may_do(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A backup, a class_create or a rebuild may have made the manifest."""
    host = MemoryHost(FILES)
    monkeypatch.setattr(host, "publish", lambda *_, like: f"alice, as with {like}")
    monkeypatch.setattr(host, "replace", lambda *_, like: f"alice, as with {like}")
    now = standing(REPOSITORY, None, Catalog(), host.machine(), host)
    found = set_against(REPOSITORY, host, None, [])
    (done,) = host.in_turn(manifest_store.beginning(found, now.entry(IMAGE)))
    for warnings in (
        manifest_store.locked_out(REPOSITORY, done(), host),
        new_database.record(REPOSITORY, "/r/Book.db", host),
        manifest_store.replace(REPOSITORY, b"", host),
    ):
        assert warnings == [
            "alice, as with /r/lib.db may not use the manifest /r/lib.db.manifest as before, since "
            "only root may give it to another user. As root, on db1: "
            "chown --reference=/r/lib.db /r/lib.db.manifest && "
            "chmod --reference=/r/lib.db /r/lib.db.manifest"
        ]
