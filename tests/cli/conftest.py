"""A csf with the plugin's commands and nothing else, for tests of what they print."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click
import pytest
from ledgers import Book

from csf_backup_plugin import plugin

if TYPE_CHECKING:
    from pathlib import Path


class Csf:
    """The smallest csf: a click group whose commands come from the plugin's hook.

    Args:
        capsys: what it printed is read from there.
    """

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys
        self._group = click.Group("csf")
        plugin.register_commands(self._group)

    def __call__(self, *args: str) -> tuple[int, str, str]:
        """Run a command; return its exit code, standard output and standard error."""
        with pytest.raises(SystemExit) as caught:
            self._group.main(list(args), "csf")
        code = caught.value.code
        assert isinstance(code, int)
        return code, *self._capsys.readouterr()


@pytest.fixture
def csf(capsys: pytest.CaptureFixture[str]) -> Csf:
    """Return a csf with the plugin."""
    return Csf(capsys)


@pytest.fixture
def book(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Book:
    """Return the ledger that this test's commands write to."""
    monkeypatch.setenv("CSF_BACKUP_STATE_DIR", str(tmp_path / "state"))
    return Book(tmp_path / "state")
