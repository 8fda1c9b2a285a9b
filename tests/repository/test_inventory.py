"""What belongs to a repository: its directory compared with its manifest."""

from __future__ import annotations

import errno

import pytest

from csf_backup_plugin.errors import RepositoryIncomplete
from csf_backup_plugin.hosts.protocol.values import Entry
from csf_backup_plugin.repository import manifest
from csf_backup_plugin.repository.inventory import read_inventory
from csf_backup_plugin.repository.model import Repository
from doubles import MemoryHost

REPOSITORY = Repository("/r/lib.db")
FILES = {"/r/lib.db": b"12", "/r/Book.db": b"1", "/r/notes.txt": b""}


def listing(*names: str) -> dict[str, bytes]:
    """Return a manifest that lists `names`."""
    return {REPOSITORY.manifest: manifest.encode(names)}


def test_without_a_manifest_the_directory_is_what_there_is() -> None:
    """The first backup makes the manifest."""
    found = read_inventory(REPOSITORY, MemoryHost(FILES))
    assert found.recorded is None
    assert found.coverage.paths == ["/r/lib.db", "/r/Book.db"]
    assert found.coverage.unlisted == ("/r/lib.db", "/r/Book.db")


def test_a_database_the_manifest_lists_elsewhere_belongs_to_the_repository() -> None:
    """A class's database may have been created in another directory."""
    files = {**FILES, "/else/Far.db": b"1234", **listing("lib.db", "Book.db", "/else/Far.db")}
    found = read_inventory(REPOSITORY, MemoryHost(files))
    assert dict(found.coverage.databases)["/else/Far.db"] == 4
    assert not found.coverage.missing


def test_a_damaged_manifest_is_refused_with_its_line() -> None:
    """Its list is unknown; an empty file is not a manifest either."""
    for data, line in ((manifest.encode(["lib.db"]) + b"?\n", 3), (b"", 1)):
        files = {**FILES, REPOSITORY.manifest: data}
        with pytest.raises(RepositoryIncomplete, match=rf"lib.db.manifest on db1 .* line {line}"):
            read_inventory(REPOSITORY, MemoryHost(files))


def test_a_manifest_that_is_a_link_is_refused() -> None:
    """A link to nothing would look like a missing manifest, and databases would be forgotten."""
    host = MemoryHost(FILES)
    host.unreadable[REPOSITORY.manifest] = OSError(errno.ELOOP, "Is a symbolic link")
    with pytest.raises(RepositoryIncomplete, match="Is a symbolic link") as caught:
        read_inventory(REPOSITORY, host)
    assert "-rebuild" in caught.value.next_step


def test_a_manifest_that_this_user_may_not_read_is_the_systems_error() -> None:
    """A new manifest would not help."""
    host = MemoryHost(FILES)
    host.unreadable[REPOSITORY.manifest] = PermissionError(errno.EACCES, "Permission denied")
    with pytest.raises(PermissionError):
        read_inventory(REPOSITORY, host)


@pytest.mark.parametrize("name", ["cls Book.db", "Book", "BOOK.MDB", "Book.db.1"])
def test_what_the_manifest_lists_counts_whatever_its_suffix(name: str) -> None:
    """Each path is examined separately."""
    files = {"/r/lib.mdb": b"", f"/r/{name}": b"1", "/r/lib.mdb.manifest": manifest.encode([name])}
    found = read_inventory(Repository("/r/lib.mdb"), MemoryHost(files))
    assert found.coverage.paths == ["/r/lib.mdb", f"/r/{name}"]
    assert not found.coverage.missing
    assert not found.left_out


def test_a_listed_file_that_the_listing_does_not_show_is_looked_at() -> None:
    """A file may be renamed while its directory is listed."""

    class Blind(MemoryHost):
        def list_directory(self, path: str) -> list[Entry]:
            return [entry for entry in super().list_directory(path) if entry.name != "Book.db"]

    found = read_inventory(REPOSITORY, Blind({**FILES, **listing("lib.db", "Book.db")}))
    assert found.coverage.paths == ["/r/lib.db", "/r/Book.db"]
    assert not found.coverage.missing


def test_what_is_listed_and_gone_is_missing_wherever_it_was() -> None:
    """A listed path that is no file is unreachable, not missing."""
    files = {**FILES, **listing("lib.db", "Gone.db", "/else/Gone.db", "Dir.x", "/else/dir")}
    host = MemoryHost(files, ["/r/Dir.x", "/else/dir", "/else"])
    found = read_inventory(REPOSITORY, host)
    assert found.coverage.missing == ("/else/Gone.db", "/r/Gone.db")
    assert found.unreachable == ("/else/dir", "/r/Dir.x")


def test_what_is_no_file_and_has_the_suffix_is_reported() -> None:
    """A link to nothing may need a disk that is not mounted; a directory is no database."""
    host = MemoryHost({**FILES, "/r/Lost.db": b""}, ["/r/old.db"])
    host.facts["/r/Lost.db"] = {"kind": "other", "link": True}
    found = read_inventory(REPOSITORY, host)
    assert (found.unreachable, found.directories) == (("/r/Lost.db",), ("/r/old.db",))
    assert not found.links


def test_databases_that_are_links_are_known() -> None:
    """This holds in the directory and elsewhere."""
    host = MemoryHost({**FILES, "/else/a": b"", **listing("lib.db", "/else/a")}, ["/else"])
    for path in ("/r/Book.db", "/else/a"):
        host.facts[path] = {"link": True}
    assert read_inventory(REPOSITORY, host).links == ("/else/a", "/r/Book.db")


def test_files_that_look_like_databases_are_left_out_and_known() -> None:
    """The suffix of any database counts, in upper and lower case."""
    more = dict.fromkeys(["/r/a.DB", "/r/b.mdb", "/r/c.txt", "/r/lib.db.lock", "/else/d.db"], b"")
    host = MemoryHost({**FILES, **more, **listing("lib.db", "/else/x.mdb"), "/else/x.mdb": b""})
    found = read_inventory(REPOSITORY, host)
    assert found.left_out == ("/r/a.DB", "/r/b.mdb")
    assert found.coverage.paths == ["/r/lib.db", "/else/x.mdb", "/r/Book.db"]


def test_what_was_dropped_is_left_alone_and_known() -> None:
    """It may be on disk, with the suffix; if it is not there, nothing is reported."""
    dropped = manifest.dropped_lines(["Book.db", "Gone.db"])
    host = MemoryHost({**FILES, REPOSITORY.manifest: manifest.encode(["lib.db"]) + dropped})
    found = read_inventory(REPOSITORY, host)
    assert found.coverage.paths == ["/r/lib.db"]
    assert found.dropped == ("/r/Book.db",)
    assert not found.left_out


def test_the_master_database_is_never_dropped() -> None:
    """A manifest copied from another repository may say so."""
    dropped = manifest.dropped_lines(["lib.db"])
    host = MemoryHost({**FILES, REPOSITORY.manifest: manifest.encode(["Book.db"]) + dropped})
    assert read_inventory(REPOSITORY, host).coverage.paths == ["/r/lib.db", "/r/Book.db"]


def test_more_paths_may_count_as_listed() -> None:
    """They may come from an image that was made before the manifest was lost."""
    host = MemoryHost({**FILES, "/else/x": b""}, ["/else"])
    found = read_inventory(REPOSITORY, host, ["/else/x", "/else/gone", "/r/Book.db"])
    assert found.coverage.paths == ["/r/lib.db", "/else/x", "/r/Book.db"]
    assert (found.coverage.unlisted, found.coverage.missing) == (("/r/lib.db",), ("/else/gone",))


def test_what_another_repository_lists_is_not_taken() -> None:
    """Its suffix alone would make it ours."""
    other = manifest.encode(["lib2.db", "Two.db"])
    more = {"/r/lib2.db": b"", "/r/Two.db": b"", "/r/lib2.db.manifest": other}
    found = read_inventory(
        REPOSITORY, MemoryHost({**FILES, **more, **listing("lib.db", "Book.db")})
    )
    assert found.coverage.paths == ["/r/lib.db", "/r/Book.db"]
    assert (found.left_out, found.ambiguous) == ((), ())


def test_what_two_repositories_would_take_is_ambiguous() -> None:
    """A database that one of them dropped, or with another suffix, is not ambiguous."""
    for dropped, suffix, ambiguous in (
        ((), ".db", ("/r/New.db",)),
        (("New.db",), ".db", ()),
        ((), ".mdb", ()),
    ):
        other = manifest.encode([f"two{suffix}"]) + manifest.dropped_lines(dropped)
        more = {"/r/New.db": b"", f"/r/two{suffix}": b"", f"/r/two{suffix}.manifest": other}
        host = MemoryHost({**FILES, **more, **listing("lib.db", "Book.db")})
        assert read_inventory(REPOSITORY, host).ambiguous == ambiguous


def test_a_directory_that_cannot_be_listed_is_known() -> None:
    """Another repository may have its manifest there."""

    class Closed(MemoryHost):
        def list_directory(self, path: str) -> list[Entry]:
            if path == "/gone":
                raise FileNotFoundError(path)
            if path == "/else":
                raise PermissionError(errno.EACCES, "Permission denied", path)
            return super().list_directory(path)

    host = Closed({**FILES, "/else/x.db": b"", **listing("lib.db", "/else/x.db", "/gone/y")})
    found = read_inventory(REPOSITORY, host)
    assert found.closed == {"/else": "Permission denied"}
    assert found.coverage.missing == ("/gone/y",)
