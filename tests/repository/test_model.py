"""The files of a repository."""

from __future__ import annotations

import pytest

from csf_backup_plugin.repository.model import Repository

REPOSITORY = Repository("/r/lib.db")


@pytest.mark.parametrize(
    ("name", "owned"),
    [
        ("lib.db", True),
        ("Book.db", True),
        ("-a b$(x).db", True),
        ("lib.db.manifest", False),
        ("lib.db.lock", False),
        ("Book.DB", False),
        ("Book.db~", False),
        ("Book", False),
        (".db", False),
    ],
)
def test_the_masters_suffix_tells_a_database(name: str, *, owned: bool) -> None:
    """Other files in the directory belong to no repository."""
    assert REPOSITORY.owns(name) is owned


def test_our_own_files_are_never_databases_whatever_the_suffix() -> None:
    """A master database may be called x.manifest."""
    assert not Repository("/r/x.manifest").owns("x.manifest.manifest")
    assert not Repository("/r/x.lock").owns("x.lock.lock")


def test_a_master_without_a_suffix_owns_files_without_one() -> None:
    """No suffix counts as a suffix."""
    assert Repository("/r/lib").owns("Book")
    assert not Repository("/r/lib").owns("Book.db")


def test_the_manifest_records_names_and_gives_paths() -> None:
    """A database elsewhere is recorded by its path, so that it is distinct."""
    for path, recorded in (("/r/Book.db", "Book.db"), ("/else/Book.db", "/else/Book.db")):
        assert REPOSITORY.recorded(path) == recorded
        assert REPOSITORY.path_of(recorded) == path


def test_a_repository_is_what_its_master_database_is() -> None:
    """Two objects with the same master database are equal."""
    same, other = Repository("/r/lib.db"), Repository("/r/two.db")
    assert {REPOSITORY, same, other} == {same, other}
    assert str(REPOSITORY) != str(other)
    assert repr(REPOSITORY) == "Repository('/r/lib.db')"
    assert "/r/lib.db" not in {REPOSITORY}
