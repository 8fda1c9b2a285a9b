"""What a repository consists of: its directory set against its manifest."""

from __future__ import annotations

import pytest

from csf_backup_plugin import manifest
from csf_backup_plugin.errors import RepositoryIncomplete, RepositoryNotFound
from csf_backup_plugin.repository import Repository
from csf_backup_plugin.survey import check_master, survey
from doubles import MemoryHost

REPOSITORY = Repository("/r/lib.db")
FILES = {"/r/lib.db": b"12", "/r/Book.db": b"1", "/r/notes.txt": b""}


def listing(*names: str) -> dict[str, bytes]:
    """Return a manifest that records `names`."""
    return {REPOSITORY.manifest: manifest.encode(names)}


def test_without_a_manifest_the_directory_is_what_there_is() -> None:
    """The first backup of a repository makes its manifest."""
    found = survey(REPOSITORY, MemoryHost(FILES))
    assert found.recorded is None
    assert found.coverage.paths == ["/r/lib.db", "/r/Book.db"]
    assert found.coverage.unlisted == ("/r/lib.db", "/r/Book.db")
    found.check_complete()


def test_a_database_the_manifest_lists_elsewhere_belongs_to_the_repository() -> None:
    """A class's database may have been created in another directory."""
    files = {**FILES, "/else/Far.db": b"1234", **listing("lib.db", "Book.db", "/else/Far.db")}
    found = survey(REPOSITORY, MemoryHost(files))
    assert dict(found.coverage.databases)["/else/Far.db"] == 4
    assert not found.coverage.missing


@pytest.mark.parametrize("gone", ["Gone.db", "/else/Gone.db"])
def test_a_listed_database_that_is_not_there_makes_it_incomplete(gone: str) -> None:
    """A backup never silently leaves a database out."""
    found = survey(REPOSITORY, MemoryHost({**FILES, **listing("lib.db", gone)}))
    with pytest.raises(RepositoryIncomplete, match="Gone.db") as caught:
        found.check_complete()
    assert "-database /r/lib.db -host db1 -rebuild" in caught.value.next_step


def test_a_damaged_manifest_is_refused_with_its_line() -> None:
    """Nobody could say what it listed; also of an empty one, which is none of ours."""
    for data, line in ((manifest.encode(["lib.db"]) + b"?\n", 3), (b"", 1)):
        files = {**FILES, REPOSITORY.manifest: data}
        with pytest.raises(RepositoryIncomplete, match=rf"lib.db.manifest on db1 .* line {line}"):
            survey(REPOSITORY, MemoryHost(files))


def test_a_link_to_nothing_with_a_databases_name_makes_it_incomplete() -> None:
    """Its disk may not be mounted."""
    host = MemoryHost({**FILES, "/r/Lost.db": b""})
    host.facts["/r/Lost.db"] = {"kind": "other"}
    with pytest.raises(RepositoryIncomplete, match="links to nothing.*: /r/Lost.db"):
        survey(REPOSITORY, host).check_complete()


def test_a_name_the_import_file_cannot_hold_makes_it_incomplete() -> None:
    """The import file is line-oriented."""
    host = MemoryHost({**FILES, "/r/a\nb.db": b""})
    with pytest.raises(RepositoryIncomplete, match=r"control character.*: /r/a\\x0ab.db"):
        survey(REPOSITORY, host).check_complete()


def test_a_directory_with_a_databases_name_is_no_database_and_is_told() -> None:
    """It cannot be backed up, and it is not passed over in silence."""
    found = survey(REPOSITORY, MemoryHost(FILES, ["/r/old.db"]))
    assert found.directories == ("/r/old.db",)
    found.check_complete()


def test_a_master_database_is_a_file_in_its_repositorys_directory() -> None:
    """Then there is nothing to say."""
    check_master(REPOSITORY, MemoryHost(FILES))


def test_a_master_that_is_not_there_is_not_found() -> None:
    """The message names path and host."""
    with pytest.raises(RepositoryNotFound, match="/r/none.db on db1 .* no such file"):
        check_master(Repository("/r/none.db"), MemoryHost(FILES))


def test_a_link_to_a_master_database_is_refused() -> None:
    """Beside the link there are no class databases, so a backup would leave them all out."""
    host = MemoryHost({**FILES, "/home/lib.db": b""})
    host.facts["/home/lib.db"] = {"resolved": "/r/lib.db"}
    with pytest.raises(RepositoryNotFound, match="a link to /r/lib.db"):
        check_master(Repository("/home/lib.db"), host)
