"""Where repositories and images really are."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from csf_backup_plugin.errors import RepositoryNotFound
from csf_backup_plugin.image.location import locate_image
from csf_backup_plugin.image.path import ImagePath
from csf_backup_plugin.repository.location import (
    locate,
    locate_lost,
    locate_place,
    look_at_repository,
    resolved_paths,
)
from csf_backup_plugin.repository.model import Repository
from doubles import MemoryHost

if TYPE_CHECKING:
    from collections.abc import Callable

    from csf_backup_plugin.repository.location import Note

REPOSITORY = Repository("/r/lib.db")
FILES = {"/r/lib.db": b"12", "/r/Book.db": b"1"}


def linked(*directories: str) -> MemoryHost:
    """Return a host on which /link leads to /r."""
    host = MemoryHost({**FILES, "/link/lib.db": b"12"}, ["/link", *directories])
    host.facts["/link"] = {"resolved": "/r"}
    host.facts["/link/lib.db"] = {"resolved": "/r/lib.db"}
    return host


def found(
    find: Callable[..., Repository], named: Repository, host: MemoryHost, note: Note
) -> Repository:
    """Locate a repository by the host's facts."""
    return find(named, look_at_repository(named, host), host, note)


def test_a_plain_path_is_its_own() -> None:
    """Nothing is reported then."""
    notes: list[str] = []
    assert found(locate, REPOSITORY, MemoryHost(FILES), notes.append) == REPOSITORY
    assert found(locate_place, REPOSITORY, MemoryHost(FILES), notes.append) == REPOSITORY
    image = ImagePath("db1", "/r/a.img")
    assert locate_image(image, MemoryHost(FILES).look(["/r"])[0], notes.append) == image
    assert notes == []


def test_a_linked_directory_names_the_same_repository() -> None:
    """The resolved path is reported."""
    for find in (locate, locate_place):
        notes: list[str] = []
        assert found(find, Repository("/link/lib.db"), linked(), notes.append) == REPOSITORY
        assert notes == ["/link/lib.db is /r/lib.db"]
    at_link, at_gone = linked().look(["/link", "/gone"])
    assert locate_lost(Repository("/link/gone.db"), at_link) == Repository("/r/gone.db")
    assert locate_lost(Repository("/gone/lib.db"), at_gone) == Repository("/gone/lib.db")


def test_a_master_that_is_not_there_is_not_found() -> None:
    """The message names path and host; a restore is still possible."""
    with pytest.raises(RepositoryNotFound, match="/r/none.db on db1 .* no such file"):
        found(locate, Repository("/r/none.db"), MemoryHost(FILES), print)
    assert found(locate_place, Repository("/r/none.db"), MemoryHost(FILES), print).name == "none.db"


def test_a_link_to_a_master_database_is_refused() -> None:
    """No class databases are beside the link, so a backup would be incomplete."""
    host = MemoryHost({**FILES, "/home/lib.db": b""})
    host.facts["/home/lib.db"] = {"resolved": "/r/lib.db"}
    with pytest.raises(RepositoryNotFound, match="a link to /r/lib.db"):
        found(locate, Repository("/home/lib.db"), host, print)
    with pytest.raises(RepositoryNotFound, match="a link to /r/lib.db"):
        found(locate_place, Repository("/home/lib.db"), host, print)


def test_without_a_directory_nothing_can_be_restored() -> None:
    """The directory is not made, since a disk that is not mounted looks the same."""
    with pytest.raises(RepositoryNotFound, match="no directory /a b on db1") as caught:
        found(locate_place, Repository("/a b/lib.db"), MemoryHost(FILES), print)
    assert caught.value.next_step.endswith("mkdir -p '/a b'")


def test_paths_are_resolved_by_their_directories() -> None:
    """Only existing directories are resolved, and a link at the end is not followed."""
    paths = ["/link/Book.db", "/gone/x.db", "/r/Book.db"]
    assert resolved_paths(paths, linked()) == ["/r/Book.db", "/gone/x.db", "/r/Book.db"]
    gone = ImagePath("db1", "/gone/a.img")
    assert locate_image(gone, linked().look(["/gone"])[0], print) == gone
