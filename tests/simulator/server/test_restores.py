"""Databases that are being restored."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from csf_simulator.server.refusals import DatabaseInUse
from csf_simulator.server.restores import Restores, encode_targets

ODD = os.fsdecode(b"/a b\n\xff.db")


@pytest.fixture
def claim(tmp_path: Path) -> str:
    """The claim to two databases."""
    path = tmp_path / "claim"
    path.write_bytes(encode_targets(["/x/a.db", ODD]))
    return str(path)


def test_a_database_under_restore_is_in_use(claim: str) -> None:
    """Exactly those named are, whatever bytes their names have."""
    restores = Restores([claim])
    for path in ("/x/a.db", ODD):
        with pytest.raises(DatabaseInUse, match="is being restored"):
            restores.require_usable(path)
    for path in ("/x/a.d", "/x", "/a b", ""):
        restores.require_usable(path)


def test_links_lead_to_a_database_under_restore(tmp_path: Path) -> None:
    """A database under restore is found under every name that leads to it."""
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    (tmp_path / "claim").write_bytes(encode_targets([str(tmp_path / "link" / "a.db")]))
    for name in ("real", "link"):
        with pytest.raises(DatabaseInUse):
            Restores([str(tmp_path / "claim")]).require_usable(str(tmp_path / name / "a.db"))


def test_a_restore_that_ended_meanwhile_is_none(claim: str, tmp_path: Path) -> None:
    """The other restores still count."""
    restores = Restores([str(tmp_path / "gone"), claim])
    restores.require_usable("/y")
    with pytest.raises(DatabaseInUse):
        restores.require_usable("/x/a.db")


def test_without_restores_nothing_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a restore, a transaction does no extra work."""
    monkeypatch.delattr(os.path, "realpath")
    Restores([]).require_usable("/x/a.db")
