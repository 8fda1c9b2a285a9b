"""Requests to change a manifest."""

from __future__ import annotations

from typing import Any

import pytest

from csf_backup_plugin.errors import UsageError
from csf_backup_plugin.operations.manifest.request import ManifestChange


def parse(**words: Any) -> ManifestChange:
    """Parse a request with defaults."""
    usual = {"rebuild": False, "moved": False, "copied": False, "image": None}
    return ManifestChange.parse(**{**usual, "add": (), "drop": (), **words})


def test_paths_are_kept_once_each() -> None:
    """Doubled slashes are removed."""
    change = parse(add=["/r//a", "/r/a"], drop=["/r/b"])
    assert (change.add, change.drop) == (("/r/a",), ("/r/b",))
    assert parse(rebuild=True, moved=True).home == "moved"
    assert parse(rebuild=True, copied=True).home == "copied"
    assert parse(rebuild=True).home is None


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ({"moved": True, "copied": True, "rebuild": True}, "exclude each other"),
        ({"moved": True}, "need -rebuild"),
        ({"copied": True}, "need -rebuild"),
        ({"add": ["Book.db"]}, "-add 'Book.db' is not an absolute path"),
        ({"drop": ["/r/"]}, "-drop '/r/' names a directory"),
        ({"add": ["/r/a"], "drop": ["/r/a"]}, "/r/a is given with both -add and -drop"),
    ],
)
def test_what_does_not_go_together_is_refused(words: dict[str, Any], message: str) -> None:
    """The refusal comes before anything is changed."""
    with pytest.raises(UsageError, match=message):
        parse(**words)
