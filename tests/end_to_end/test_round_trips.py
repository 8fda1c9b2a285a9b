"""The number of exchanges with another host does not depend on the number of databases."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest
from sshd import Sshd, reached

from csf_backup_plugin.hosts.ssh.connection import Connection
from csf_backup_plugin.hosts.ssh.errors import Answer
from csf_backup_plugin.operations.backup import back_up
from csf_backup_plugin.operations.backup.request import BackupRequest
from doubles import Memory

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Place, Tools

pytestmark = pytest.mark.remote


def test_as_many_questions_are_asked_about_many_databases_as_about_few(
    place: Place, tools: Tools, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only the questions about osbackup's progress depend on its running time."""
    (tmp_path / "sshd").mkdir()
    path = f"{tools.directory}:{os.environ['PATH']}"
    server = Sshd(tmp_path / "sshd", {"HOME": str(tmp_path), "PATH": path})
    server.start()
    run = Connection.run
    asked: list[str] = []

    def counted(self: Connection, function: str, *arguments: str, **options: Any) -> Answer:
        asked.append(function)
        return run(self, function, *arguments, **options)

    monkeypatch.setattr(Connection, "run", counted)
    counts = []
    for databases in (2, 3, 2000):
        for number in range(2, databases):
            (place.repository / f"Class{number}.db").touch()
        place.image += str(databases)
        asked.clear()
        with reached(server) as host:
            request = BackupRequest.parse(place.master, f"remote:{place.image}")
            made = back_up(request, host, Memory())
        assert len(made.plan.found.coverage.databases) == databases
        counts.append(len(asked))
    server.stop()
    first, few, many = counts
    assert few == many < 54  # questions that are asked together are one round trip
    assert few - 3 <= first <= few  # it has no receipt to read, and nothing to add to a manifest
