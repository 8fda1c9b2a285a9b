"""Progress: a bar on a terminal, silence elsewhere, and never a failure."""

from __future__ import annotations

import fcntl
import io
import os
import pty
import struct
import sys
import termios
from typing import TYPE_CHECKING

import pytest

from csf_backup_plugin.cli.progress import Progress
from csf_backup_plugin.cli.progress_bar import Bar

if TYPE_CHECKING:
    from collections.abc import Iterator


class Terminal(io.StringIO):
    """A standard error that is a terminal until it goes away."""

    gone = False

    def isatty(self) -> bool:
        return True

    def write(self, text: str) -> int:
        if self.gone:
            raise OSError(5, "Input/output error")
        return super().write(text)


@pytest.fixture(autouse=True)
def _able(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the terminal one that can return to the beginning of a line."""
    monkeypatch.setenv("TERM", "xterm")


class Pty:
    """A real terminal, whose size can change.

    Args:
        columns: its width.
    """

    def __init__(self, columns: int) -> None:
        self._mine, self._theirs = pty.openpty()
        self.resize(columns)
        self.stream = open(self._theirs, "w", closefd=False)  # noqa: SIM115

    def resize(self, columns: int) -> None:
        """Set another width."""
        size = struct.pack("HHHH", 24, columns, 0, 0)
        fcntl.ioctl(self._theirs, termios.TIOCSWINSZ, size)

    def rows(self) -> list[str]:
        """Return what was written since the last call, split at each return to a row's start."""
        self.stream.flush()
        os.write(self._theirs, b"\0")
        seen = b""
        while not seen.endswith(b"\0"):
            seen += os.read(self._mine, 1 << 16)
        return seen[:-1].decode().replace("\n", "\r").split("\r")

    def close(self) -> None:
        """Close both ends."""
        self.stream.close()
        os.close(self._mine)
        os.close(self._theirs)


@pytest.fixture
def terminal() -> Iterator[Pty]:
    """Return a terminal of 80 columns; the test makes it standard error."""
    made = Pty(80)
    yield made
    made.close()


def advance(progress: Progress) -> None:
    """Show phases with sizes of all kinds."""
    for phase, total in [("backing up", 4_000_000), ("verifying", 123_456_789_012_345), ("x", 0)]:
        for done in (0, total // 3, total, total * 2):
            progress.advance(phase, done, total)


@pytest.mark.parametrize("columns", [0, 1, 12, 40, 80, 120])
def test_a_line_fits_its_terminal(
    terminal: Pty, monkeypatch: pytest.MonkeyPatch, columns: int
) -> None:
    """The last column stays empty, so that no terminal wraps the line."""
    monkeypatch.setattr(sys, "stderr", terminal.stream)
    terminal.resize(columns)
    with Progress() as progress:
        advance(progress)
    rows = terminal.rows()
    assert max(map(len, rows)) < (columns or 80)
    text = "\n".join(rows)
    assert ("33%" in text) == (columns != 1)
    assert ("1.3 MB of 4.0 MB" in text) == (columns not in (1, 12))
    assert ("B/s" in text and "[####" in text) == (columns not in (1, 12, 40))


def test_a_terminal_that_gets_narrower_or_wider_is_followed(
    terminal: Pty, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each line uses the new width, and remains of a longer line are removed."""
    monkeypatch.setattr(sys, "stderr", terminal.stream)
    with Progress() as progress:
        for columns in (120, 40, 80, 40):
            terminal.resize(columns)
            progress.advance("backing up", columns, 1000)
            assert max(map(len, terminal.rows())) < columns
        progress.advance("checking", 100_000, 200_000)
        longer = len(terminal.rows()[-1])
        progress.advance("checking", 0, 200_000)
        last = terminal.rows()[-1]
        assert (len(last), last[-1]) == (longer, " ")


def test_a_note_stands_in_lines_of_its_own(terminal: Pty, monkeypatch: pytest.MonkeyPatch) -> None:
    """It may be long, and have any characters; it may take several rows."""
    monkeypatch.setattr(sys, "stderr", terminal.stream)
    note = "waiting for /r/" + "本" * 100
    with Progress() as progress:
        progress.advance("backing up", 1, 2)
        progress.note(note)
        progress.advance("backing up", 2, 2)
    rows = [row for row in terminal.rows() if row]
    assert rows[1] == note
    assert len(rows) == 3


@pytest.mark.parametrize("kind", ["dumb", None])
def test_a_terminal_that_cannot_go_back_has_no_bar(
    terminal: Pty, monkeypatch: pytest.MonkeyPatch, kind: str | None
) -> None:
    """Every line would stay there."""
    monkeypatch.setattr(sys, "stderr", terminal.stream)
    monkeypatch.setenv("TERM", kind) if kind else monkeypatch.delenv("TERM")
    with Progress() as progress:
        advance(progress)
        progress.note("still here")
    assert [row for row in terminal.rows() if row] == ["still here"]


def test_on_a_terminal_there_is_a_bar_a_phase(monkeypatch: pytest.MonkeyPatch) -> None:
    """The bar has bytes, rate and percentage; a note does not disturb it."""
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    with Progress() as progress:
        progress.advance("backing up", 0, 4_000_000)
        progress.advance("backing up", 1_000_000, 4_000_000)
        progress.advance("backing up", 1_000_000, 4_000_000)
        progress.note("waiting for somebody")
        progress.advance("backing up", 5_000_000, 4_000_000)
        progress.advance("checking", 10, 20)
    shown = terminal.getvalue()
    assert "25%" in shown
    assert "1.0 MB of 4.0 MB" in shown
    assert "5.0 MB of 4.0 MB" in shown
    assert "\nwaiting for somebody\n" in shown
    assert "B/s" in shown
    assert "checking" in shown
    assert shown.endswith("\n")


def test_the_time_left_is_reported_while_there_is_some(monkeypatch: pytest.MonkeyPatch) -> None:
    """The estimate uses the rate so far."""
    now = 100.0
    monkeypatch.setattr("time.monotonic", lambda: now)
    bar = Bar("backing up", 4000)
    assert "left" not in bar.line(0, 120)
    now += 10
    assert bar.line(1000, 120).endswith("1.0 kB of 4.0 kB  100 bytes/s  0:00:30 left")
    assert bar.line(4000, 120).endswith(" 400 bytes/s")


def test_without_a_terminal_only_notes_are_shown(capsys: pytest.CaptureFixture[str]) -> None:
    """Cron mails stay short."""
    with Progress() as progress:
        progress.advance("backing up", 1, 2)
        progress.note("waiting for somebody")
    assert capsys.readouterr().err == "waiting for somebody\n"


def test_a_stream_that_is_closed_is_no_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """csf may have closed it."""
    with open(os.devnull, "w") as stream:
        monkeypatch.setattr(sys, "stderr", stream)
    with Progress() as progress:
        progress.advance("backing up", 1, 2)
    assert sys.stderr.closed


def test_a_terminal_that_goes_away_does_not_stop_a_backup(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody sees the progress, but the backup continues."""
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    with Progress() as progress:
        progress.advance("backing up", 1, 2)
        terminal.gone = True
        progress.advance("backing up", 2, 2)
        progress.note("still here")
        progress.advance("checking", 1, 2)
