"""Progress: a bar where somebody watches, silence elsewhere, and never a failure."""

from __future__ import annotations

import io
import sys

import pytest

from csf_backup_plugin.cli.progress import Progress


class Terminal(io.StringIO):
    """A standard error that is a terminal, until it is gone."""

    gone = False

    def isatty(self) -> bool:
        return True

    def write(self, text: str) -> int:
        if self.gone:
            raise OSError(5, "Input/output error")
        return super().write(text)


def test_on_a_terminal_there_is_a_bar_a_phase(monkeypatch: pytest.MonkeyPatch) -> None:
    """With bytes, rate and percentage; a note does not spoil it."""
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    with Progress() as progress:
        progress.advance("backing up", 0, 4_000_000)
        progress.advance("backing up", 1_000_000, 4_000_000)
        progress.note("waiting for somebody")
        progress.advance("backing up", 5_000_000, 4_000_000)
        progress.advance("checking", 10, 20)
    shown = terminal.getvalue()
    assert "25%" in shown
    assert "1.0 MB of 4.0 MB" in shown
    assert "5.0 MB of 4.0 MB" in shown
    assert "waiting for somebody\n" in shown
    assert "B/s" in shown
    assert "checking" in shown
    assert shown.endswith("\n")


def test_without_a_terminal_only_notes_are_shown(capsys: pytest.CaptureFixture[str]) -> None:
    """Cron mails stay short."""
    with Progress() as progress:
        progress.advance("backing up", 1, 2)
        progress.note("waiting for somebody")
    assert capsys.readouterr().err == "waiting for somebody\n"


def test_a_terminal_that_goes_away_does_not_stop_a_backup(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody is left to see it, and the backup goes on."""
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    with Progress() as progress:
        progress.advance("backing up", 1, 2)
        terminal.gone = True
        progress.advance("backing up", 2, 2)
        progress.note("still here")
        progress.advance("checking", 1, 2)
