"""The pairs of a drill: each database matches exactly one."""

from __future__ import annotations

import posixpath

from hypothesis import given
from hypothesis import strategies as st

from csf_backup_plugin.names import is_inside
from csf_backup_plugin.operations.database_directories import directories, outermost

PATHS = st.lists(st.sampled_from(["a", "b", "a b", "a-b", "ab"]), min_size=1, max_size=4).map(
    lambda parts: "/" + "/".join(parts)
)


def test_a_directory_inside_of_another_goes_along_with_it() -> None:
    """A name with the same beginning is another directory's."""
    databases = ["/r/lib.db", "/r/sub/deep/x.db", "/r-2/y.db", "/r2/z.db"]
    assert outermost(databases) == ["/r", "/r-2", "/r2"]
    assert directories(databases) == ["/r", "/r/sub/deep", "/r-2", "/r2"]


def test_the_root_directory_has_everything_inside() -> None:
    """A database may lie there, though a repository may not."""
    assert outermost(["/x.db", "/r/lib.db"]) == ["/"]


@given(st.sets(PATHS, min_size=1))
def test_every_database_lies_in_exactly_one_of_them(databases: set[str]) -> None:
    """This holds for any nesting, and each directory has a database."""
    found = outermost(databases)
    for path in databases:
        assert sum(is_inside(path, directory) for directory in found) == 1
    assert {*found} <= {posixpath.dirname(path) for path in databases}
