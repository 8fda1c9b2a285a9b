"""Lines to and from an operator."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from csf_simulator.program.errors import UtilityError
from csf_simulator.program.streams import ask, say


@pytest.fixture
def answers() -> Iterator[int]:
    """Make standard input a pipe; returns the end to write answers to."""
    reading, writing = os.pipe()
    before = os.dup(0)
    os.dup2(reading, 0)
    os.close(reading)
    yield writing
    os.dup2(before, 0)
    os.close(before)


def test_words_keep_their_bytes(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    """A name that is not text keeps its bytes."""
    say(os.fsdecode(b"/caf\xe9 \xff"))
    say("é", to=2)
    assert capfdbinary.readouterr() == (b"/caf\xe9 \xff\n", "é\n".encode())


def test_answer_is_one_line(answers: int, capfd: pytest.CaptureFixture[str]) -> None:
    """What follows the line stays unread, for the next question."""
    os.write(answers, b"/first \xff\nsecond\n")
    assert ask("Which?", 1) == os.fsdecode(b"/first \xff")
    assert ask("Which?", 2) == "second"
    os.close(answers)
    assert capfd.readouterr() == ("Which?\n", "Which?\n")


@pytest.mark.parametrize("answer", [b"", b"half a line"])
def test_end_of_input_is_no_answer(answers: int, answer: bytes) -> None:
    """Without an operator, the program does not wait."""
    os.write(answers, answer)
    os.close(answers)
    with pytest.raises(UtilityError, match="standard input ended"):
        ask("Which?", 2)
