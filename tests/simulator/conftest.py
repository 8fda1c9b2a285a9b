"""What several tests of the simulator start from: a server, and a place where utilities run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from csf_simulator.home import Home
from csf_simulator.server.server import Server

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def server(tmp_path: Path) -> Server:
    """A server without any database."""
    made = Server(str(tmp_path / "server"))
    made.create()
    return made


@pytest.fixture
def workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Work in a simulator's home, and in an empty directory."""
    Home(str(tmp_path / "home")).create()
    monkeypatch.setenv("CSF_SIM_HOME", str(tmp_path / "home"))
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
