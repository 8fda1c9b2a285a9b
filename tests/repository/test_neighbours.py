"""Other repositories in the same directories, recognised by their manifests."""

from __future__ import annotations

import errno

from csf_backup_plugin.repository import manifest
from csf_backup_plugin.repository.identity import Identity
from csf_backup_plugin.repository.inventory import read_inventory
from csf_backup_plugin.repository.model import Repository
from csf_backup_plugin.repository.neighbours import Neighbours
from doubles import MemoryHost

REPOSITORY = Repository("/r/lib.db")
FILES = {"/r/lib.db": b"", "/r/Book.db": b""}
OWN = {REPOSITORY.manifest: manifest.encode(["lib.db", "/else/x.db"])}


def others(files: dict[str, bytes], unreadable: dict[str, OSError] | None = None) -> Neighbours:
    """Return the other repositories that are found."""
    host = MemoryHost({**FILES, "/else/x.db": b"", **files})
    host.unreadable = unreadable or {}
    return read_inventory(REPOSITORY, host).others


def test_alone_there_are_no_others() -> None:
    """Its own manifest does not count."""
    assert others(OWN) == Neighbours()


def test_another_manifest_is_another_repository() -> None:
    """Directories of databases elsewhere are searched, too.

    A master belongs to its own repository.
    """
    found = others(
        {
            **OWN,
            "/r/two.db": b"",
            "/r/two.db.manifest": manifest.encode(["a.db", "/else/b"]),
            "/else/three.db.manifest": manifest.encode([]) + manifest.dropped_lines(["c"]),
        }
    )
    assert [(one.repository.master, one.listed, one.dropped) for one in found.known] == [
        ("/else/three.db", frozenset({"/else/three.db"}), frozenset({"/else/c"})),
        ("/r/two.db", frozenset({"/r/two.db", "/r/a.db", "/else/b"}), frozenset()),
    ]
    assert found.listed == {"/else/three.db", "/r/two.db", "/r/a.db", "/else/b"}


def test_a_file_that_is_only_called_a_manifest_is_none() -> None:
    """If it stands beside a file with a database's suffix, it is a damaged manifest."""
    for name in ("/r/README", "/r/none.db", "/r/notes.txt"):
        beside = {} if name == "/r/none.db" else {name: b""}
        assert others({**OWN, **beside, f"{name}.manifest": b"Version: 1"}) == Neighbours()
    found = others({**OWN, "/r/Book.db.manifest": b"Version: 1"})
    assert found.listed == {"/r/Book.db"}
    assert found.unreadable == {"/r/Book.db.manifest": "line 1 is damaged"}


def test_a_manifest_that_cannot_be_read_is_known() -> None:
    """It may be damaged after its first line, or unreadable beside a file of any suffix."""
    damaged = manifest.encode(["x"]) + b"?\n"
    found = others({**OWN, "/r/gone.db.manifest": damaged})
    assert found.unreadable == {"/r/gone.db.manifest": "line 3 is damaged"}
    assert found.listed == {"/r/gone.db", "/r/x"}
    denied = PermissionError(errno.EACCES, "Permission denied")
    assert others(
        {**OWN, **dict.fromkeys(["/r/a.x", "/r/a.x.manifest", "/r/b.x.manifest"], b"")},
        {"/r/a.x.manifest": denied, "/r/b.x.manifest": denied},
    ).unreadable == {"/r/a.x.manifest": "Permission denied"}


def test_where_a_copied_manifest_came_from_there_is_another() -> None:
    """It counts if it still exists."""
    home = Identity("1" * 32, "", "db1", "/old/lib.db")
    own = {REPOSITORY.manifest: manifest.encode(["lib.db", "/else/x.db"], home)}
    assert others(own) == Neighbours()
    found = others({**own, "/old/lib.db.manifest": manifest.encode(["/else/x.db"], home)})
    (one,) = found.known
    assert one.listed == {"/old/lib.db", "/else/x.db"}
