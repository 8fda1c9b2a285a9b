"""-quiesce as csf runs it: the program is called around osbackup and osrestore, and reported."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from application_server import ApplicationServer

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Place, Tools

    Csf = Callable[..., tuple[int, str, str]]

pytestmark = pytest.mark.usefixtures("tools")


@pytest.fixture
def server(tmp_path: Path) -> ApplicationServer:
    """Return a running application server."""
    return ApplicationServer(tmp_path / "server")


def words(place: Place, command: str, *options: str) -> tuple[str, ...]:
    """Return a command line."""
    image = f"localhost:{place.image}"
    return (command, "-database", place.master, "-image-file", image, *options)


def test_a_dry_run_says_what_would_be_called(
    csf: Csf, place: Place, server: ApplicationServer
) -> None:
    """Nothing is called."""
    asked = words(place, "admin_database_backup", "-dry-run", "-quiesce", server.program)
    code, _, err = csf(*asked)
    assert code == 0
    assert f", between calls of {server.program} (shared" in err
    assert server.calls == []


def test_a_backup_and_a_restore_call_the_program(
    csf: Csf, place: Place, tools: Tools, server: ApplicationServer
) -> None:
    """The number of databases that changed meanwhile is reported."""
    osbackup = (tools.directory / "osbackup").read_text()
    tools.write("osbackup", osbackup.replace("exec tar", f"touch {place.master}; exec tar"))
    quiesce = ("-quiesce", server.program)
    code, _, err = csf(*words(place, "admin_database_backup", *quiesce))
    assert code == 0
    assert err.endswith("; files of 1 of 2 databases changed meanwhile\n")
    assert (server.calls, server.runs) == (["begin", "end"], True)
    code, out, _ = csf(*words(place, "admin_database_restore", "-yes", "-json", *quiesce))
    assert (code, json.loads(out)["quiesce"]) == (0, server.program)
    assert (server.calls, server.runs) == (["begin", "end"] * 2, True)


def test_a_backup_without_begin_is_none(csf: Csf, place: Place, server: ApplicationServer) -> None:
    """The message has the program's output, and says that the server runs."""
    server.do("begin.after", "echo cannot; exit 3")
    code, _, err = csf(*words(place, "admin_database_backup", "-quiesce", server.program))
    assert code == 21
    assert f"{server.program} begin {place.master} failed: exit 3, and printed:\n    cannot" in err
    assert f"Then {server.program} end {place.master} was called, and succeeded." in err
    assert [*place.images.iterdir()] == []
