"""The order of turns: who has waited longest, as far as this machine knows."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import pytest
from fleets import written
from ledgers import DONE, Book

from csf_backup_plugin import timestamps
from csf_backup_plugin.command_names import ROTATE, VERIFY
from csf_backup_plugin.fleet.driver.order import longest_waiting_first
from csf_backup_plugin.fleet.file import read_fleet

if TYPE_CHECKING:
    from pathlib import Path

    from csf_backup_plugin.fleet.repository import FleetRepository


@pytest.fixture
def repositories(tmp_path: Path) -> tuple[FleetRepository, ...]:
    """Return four repositories on one host."""
    sections = {
        name: {"database": f"db1:/r/{name}.db", "image-dirs": "/b"} for name in ("a", "b", "c", "d")
    }
    return read_fleet(written(tmp_path / "fleet", sections)).repositories


def test_the_longest_waiting_is_the_first(
    repositories: tuple[FleetRepository, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The last successful attempt of the same command counts; those without one come first."""
    book = Book(tmp_path / "state")
    times = (f"2026-11-30T12:00:{second:02}+00:00" for second in itertools.count())
    monkeypatch.setattr(timestamps, "now", lambda: next(times))
    facts = {"command": ROTATE, "host": "db1"}
    for name in ("b", "a", "d", "a"):
        book.attempt(**facts, database=f"/r/{name}.db")
    failed = book.begun(**facts, database="/r/b.db")
    failed.end({**DONE, "exit_code": 40, "outcome": "failed"})
    failed.close()
    book.attempt(command=VERIFY, host="db1", database="/r/b.db")
    environ = {"CSF_BACKUP_STATE_DIR": book.directory}
    ordered = longest_waiting_first(repositories, ROTATE, environ)
    assert [one.name for one in ordered] == ["c", "b", "d", "a"]


@pytest.mark.parametrize("state", ["/no/such/directory", "relative"])
def test_without_a_ledger_the_file_has_the_order(
    repositories: tuple[FleetRepository, ...], state: str
) -> None:
    """A new control host knows no attempts."""
    ordered = longest_waiting_first(repositories, ROTATE, {"CSF_BACKUP_STATE_DIR": state})
    assert [one.name for one in ordered] == ["a", "b", "c", "d"]
