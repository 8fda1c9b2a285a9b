"""A rotation's request is checked before anything is changed."""

from __future__ import annotations

import datetime
from typing import Any

import pytest

from csf_backup_plugin.errors import UsageError
from csf_backup_plugin.operations.rotate.request import BackupOptions, RotateRequest


def parsed(*directories: str, **asked: Any) -> RotateRequest:
    """Return the request for a repository's rotation."""
    given = directories or ("localhost:/backups",)
    return RotateRequest.parse("/databases/lib.db", given, BackupOptions(), **asked)


def test_a_request_has_what_was_asked_for() -> None:
    """A run without an id gets its own."""
    made = parsed("db1:/a/", "db1:/b", slot="2026-11-29", drill_every=1.0, scratch="/var/tmp/")
    assert (made.host, [top.directory for top in made.tops]) == ("db1", ["/a", "/b"])
    assert (made.slot, made.scratch) == (datetime.date(2026, 11, 29), "/var/tmp")
    assert (made.dry_run, made.wait) == (False, 30.0)
    assert made.run_id != parsed().run_id != ""
    assert parsed(run_id="x").run_id == "x"


@pytest.mark.parametrize(
    ("directories", "asked", "problem"),
    [
        (("/backups",), {}, "does not begin with HOST:"),
        (("-x:/backups",), {}, "is not the name of a host"),
        (("db1:backups",), {}, "is not an absolute path"),
        (("db1:/",), {}, "names a directory"),
        (("db1:/a", "db2:/a"), {}, "are on one host"),
        (("db1:/a", "db1:/a/"), {}, "is given twice"),
        ((), {"slot": "29.11.2026"}, "is not a date"),
        ((), {"slot": "2026-02-30"}, "is not a date"),
        ((), {"drill_every": 1.0}, "must be given together"),
        ((), {"scratch": "/var/tmp"}, "must be given together"),
        ((), {"drill_every": 1.0, "scratch": "tmp"}, "is not an absolute path"),
        ((), {"run_id": ""}, "cannot be a run's id"),
        ((), {"run_id": "a\nb"}, "cannot be a run's id"),
        ((), {"run_id": "x" * 101}, "cannot be a run's id"),
    ],
)
def test_what_cannot_be_is_refused(
    directories: tuple[str, ...], asked: dict[str, Any], problem: str
) -> None:
    """The message names the value, and what would be valid."""
    with pytest.raises(UsageError, match=problem) as caught:
        parsed(*directories, **asked)
    assert caught.value.next_step
