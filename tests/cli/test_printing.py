"""Output that cannot be printed is reported to the caller, and discarded at the end."""

from __future__ import annotations

import io
import itertools
import os
import sys
from typing import TYPE_CHECKING

import click
import pytest

from csf_backup_plugin.cli.failure import Failure, Misuse
from csf_backup_plugin.cli.printing import give_up, printed, said, shows_colours
from csf_backup_plugin.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from typing_extensions import Buffer


def test_each_stream_is_written_to_in_whole_lines(capsys: pytest.CaptureFixture[str]) -> None:
    """There is nothing to report then."""
    assert (said("people"), printed("programs")) == ("", "")
    assert capsys.readouterr() == ("programs\n", "people\n")


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        """Return True."""
        return True


@pytest.mark.parametrize(
    ("stream", "variables", "colours"),
    [
        (Terminal(), {}, "colours"),
        (Terminal(), {"NO_COLOR": "1"}, ""),
        (Terminal(), {"TERM": "dumb"}, ""),
        (io.StringIO(), {}, ""),
        (None, {}, ""),
    ],
)
def test_colours_are_for_terminals(
    monkeypatch: pytest.MonkeyPatch,
    stream: io.StringIO | None,
    variables: dict[str, str],
    colours: str,
) -> None:
    """The user can turn them off."""
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sys, "stdout", stream)
    assert shows_colours() is bool(colours)


class Slow(io.RawIOBase):
    """A stream without a buffer that takes three bytes at a time, up to a limit.

    Args:
        room: how many it takes in all.
    """

    def __init__(self, room: int) -> None:
        self.taken = b""
        self._room = room

    def writable(self) -> bool:
        """Return True."""
        return True

    def write(self, data: Buffer) -> int | None:
        """Take some bytes, as the system may."""
        more = bytes(data)[: min(3, self._room)]
        self._room -= len(more)
        self.taken += more
        return len(more) or None


def test_all_is_written_where_there_is_no_buffer(monkeypatch: pytest.MonkeyPatch) -> None:
    """A rest that is not taken is reported."""
    texts: list[tuple[str | bytes, bytes]] = [
        ("a document", b"a document\n"),
        (b"a name: \xff", b"a name: \xff\n"),
    ]
    for (text, whole), room in itertools.product(texts, (100, 7)):
        slow = Slow(room)
        # Its type says that there is a buffer, but Python can make one without.
        stream = io.TextIOWrapper(slow, "utf-8", write_through=True)  # type: ignore[type-var]
        monkeypatch.setattr(sys, "stdout", stream)
        assert printed(text) == ("" if room == 100 else "its reader is not ready")
        assert slow.taken == whole[:room]


@pytest.mark.parametrize("name", ["stdout", "stderr"])
def test_a_stream_that_is_closed_takes_nothing(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """It was closed before the start, or by csf."""
    closed = io.StringIO()
    closed.close()
    for stream in (None, closed):
        monkeypatch.setattr(sys, name, stream)
        assert (printed if name == "stdout" else said)("words") == "it is closed"
        give_up()


def test_what_a_full_disk_did_not_take_is_given_up(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """It is kept until the end, as there may be room again; then Python does not fail on it."""
    descriptor = os.open("/dev/full", os.O_WRONLY)
    full = open(descriptor, "w")  # noqa: SIM115
    monkeypatch.setattr(sys, "stdout", full)
    assert printed("lost") == "No space left on device"
    with pytest.raises(OSError, match="No space left"):
        full.flush()
    give_up()
    full.flush()
    with open(tmp_path / "file", "w") as file:
        os.dup2(file.fileno(), descriptor)
        assert printed("again") == ""
    full.close()
    assert (tmp_path / "file").read_text() == "again\n"


def test_errors_for_click_may_be_shown_in_a_file() -> None:
    """click's errors are shown in the same way."""
    file = io.StringIO()
    Failure(UsageError("What.", "Do this.")).show(file)
    Misuse(click.UsageError("Which?")).show(file)
    assert file.getvalue() == (
        "Error: What.\nNothing was created or changed.\nDo this.\nError: Which?\n"
    )
