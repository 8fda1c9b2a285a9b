"""A question is asked only on a terminal; a signal or the end of input ends it."""

from __future__ import annotations

import contextlib
import io
import os
import pty
import signal
import sys
from typing import TYPE_CHECKING
from unittest import mock

import pytest
from locales import encoded

from csf_backup_plugin.cancellation import Cancellation, deferred_signals
from csf_backup_plugin.cli.confirmation import on_a_terminal, typed
from csf_backup_plugin.errors import Interrupted

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """Make standard input a terminal; return the end that types."""
    mine, theirs = pty.openpty()
    with open(theirs) as stdin:
        monkeypatch.setattr(sys, "stdin", stdin)
        yield mine
    with contextlib.suppress(OSError):  # a test has closed the terminal
        os.close(mine)


@pytest.mark.parametrize(
    ("answer", "agreed"),
    [
        (b"lib.db\n", True),
        (b"yes\n", False),
        (b"\n", False),
        (b" lib.db\n", False),
        (b"\x04", False),
    ],
)
def test_only_the_name_agrees(
    terminal: int, capsys: pytest.CaptureFixture[str], answer: bytes, *, agreed: bool
) -> None:
    """A similar name is no agreement, and neither is the end of input."""
    os.write(terminal, answer)
    assert typed("lib.db", "Which? ", Cancellation()) is agreed
    assert capsys.readouterr().err == "Which? "


@pytest.mark.parametrize("answer", [b"l\xff\xc3\xa9.db\n", b"l\\xff\xc3\xa9.db\n"])
def test_a_name_that_cannot_be_shown_is_typed_as_it_is_shown(terminal: int, answer: bytes) -> None:
    """The name itself works, too, if the terminal can show it."""
    os.write(terminal, answer)
    assert typed(os.fsdecode(b"l\xff\xc3\xa9.db"), "Which? ", Cancellation())


@pytest.mark.parametrize("answer", [b"l\xe9.db\n", b"l\xc3\xa9.db\n", b"l\\u20ac.db\n"])
def test_a_name_may_be_typed_in_the_letters_of_the_terminal(answer: bytes) -> None:
    """They may differ from the name's bytes, or be a number for a missing character."""
    mine, theirs = pty.openpty()
    name = "l€.db" if b"u20ac" in answer else "lé.db"
    with open(theirs, encoding="iso8859-1") as stdin, mock.patch.object(sys, "stdin", stdin):
        os.write(mine, answer)
        with encoded("iso8859-1"):
            assert typed(os.fsdecode(name.encode()), "Which? ", Cancellation())
    os.close(mine)


def test_a_terminal_that_is_gone_does_not_agree(
    terminal: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The system may report an end or an error."""

    def refuse(*_: int) -> bytes:
        raise OSError(5, "Input/output error")

    os.close(terminal)
    assert not typed("lib.db", "Which? ", Cancellation())
    monkeypatch.setattr(os, "read", refuse)
    assert not typed("lib.db", "Which? ", Cancellation())


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_question(terminal: int, signum: signal.Signals) -> None:
    """Python alone would continue to wait for the answer."""
    with deferred_signals("The restore") as cancellation, pytest.raises(Interrupted):
        os.kill(os.getpid(), signum)
        typed("lib.db", "Which? ", cancellation)


def test_a_question_that_cannot_be_shown_is_not_agreed_to(
    terminal: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Text that was typed before does not count."""
    os.write(terminal, b"lib.db\n")
    monkeypatch.setattr(sys, "stderr", None)
    assert not typed("lib.db", "Which? ", Cancellation())


def test_both_ends_must_be_a_terminal(terminal: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """A user who cannot read the question, or cannot answer, is not asked."""
    monkeypatch.setattr(sys, "stderr", sys.stdin)
    assert on_a_terminal()
    for name in ("stdin", "stderr"):
        for other in (None, io.StringIO()):
            with monkeypatch.context() as patch:
                patch.setattr(sys, name, other)
                assert not on_a_terminal()
