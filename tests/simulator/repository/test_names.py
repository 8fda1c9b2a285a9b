"""The names of a repository's databases."""

from __future__ import annotations

import pytest

from csf_simulator.repository.names import RepositoryError, class_path, schema_path, suffix


@pytest.mark.parametrize(
    ("master", "ending", "schema", "database"),
    [
        ("/r/zoo.db", ".db", "/r/zoo_schema.db", "/r/Lion.db"),
        ("/r/zoo", "", "/r/zoo_schema", "/r/Lion"),
        ("/r.d/zoo", "", "/r.d/zoo_schema", "/r.d/Lion"),
        ("/r/zoo.v2.odb", ".odb", "/r/zoo.v2_schema.odb", "/r/Lion.odb"),
        ("/r/.zoo", "", "/r/.zoo_schema", "/r/Lion"),
        ("/r/zoo.~", ".~", "/r/zoo_schema.~", "/r/Lion.~"),
        ("/r/z o'o.d b", ".d b", "/r/z o'o_schema.d b", "/r/Lion.d b"),
        ("/r/\udcff.\udcfe", ".\udcfe", "/r/\udcff_schema.\udcfe", "/r/Lion.\udcfe"),
    ],
)
def test_all_databases_share_directory_and_suffix(
    master: str, ending: str, schema: str, database: str
) -> None:
    """The master database's name decides all others, whatever its suffix."""
    assert suffix(master) == ending
    assert schema_path(master) == schema
    assert class_path(master, "Lion") == database


@pytest.mark.parametrize("name", ["Lion", "a b", "-x", "é", "\udcff", "$(x)", "a.b", ".a", "~"])
def test_a_class_may_have_any_name_a_file_can_have(name: str) -> None:
    """Blanks, dashes, quotes and bytes that are not text are allowed."""
    assert class_path("/r/zoo.db", name) == f"/r/{name}.db"


@pytest.mark.parametrize("name", ["a/b", "/a", "../a", "a\0b", "a\nb", "\x7f", "\x85"])
def test_a_name_that_leaves_the_directory_or_the_line_is_refused(name: str) -> None:
    """Class names have no slashes and no control characters."""
    with pytest.raises(RepositoryError, match="a slash or a control character"):
        class_path("/r/zoo.db", name)


@pytest.mark.parametrize(
    ("master", "name"),
    [
        ("/r/zoo.db", ""),
        ("/r/zoo.db", "."),
        ("/r/zoo.db", ".."),
        ("/r/zoo", ""),
        ("/r/zoo", "."),
        ("/r/zoo", ".."),
        ("/r/zoo", "a.b"),
    ],
)
def test_a_name_that_makes_no_database_of_the_repository_is_refused(master: str, name: str) -> None:
    """The file of a class must have the suffix that all databases have."""
    with pytest.raises(RepositoryError, match="is not a database's"):
        class_path(master, name)
