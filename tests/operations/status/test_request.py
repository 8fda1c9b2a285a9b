"""A status request is checked before anything is examined."""

from __future__ import annotations

import pytest

from csf_backup_plugin.errors import UsageError
from csf_backup_plugin.operations.status.request import StatusRequest


def test_each_host_is_asked_once() -> None:
    """It may be named for images or for databases."""
    made = StatusRequest.parse(
        ["db1:/a", "db2:/a", "db1:/a/", "db1:/b"], ["db3:/d/lib.db", "db1:/d/lib.db"]
    )
    assert made.hosts == ["db1", "db2", "db3"]
    assert len(made.tops) == 3


@pytest.mark.parametrize("database", ["/d/lib.db", "d/x:/d/lib.db", "-x:/d/lib.db", "db1:lib.db"])
def test_a_database_is_named_with_its_host(database: str) -> None:
    """The path is absolute."""
    with pytest.raises(UsageError):
        StatusRequest.parse(["db1:/a"], [database])
