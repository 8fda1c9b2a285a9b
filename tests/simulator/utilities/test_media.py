"""The volumes an operator names."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from csf_simulator.program.errors import UtilityError
from csf_simulator.utilities.media import Media


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """Make standard input a pipe; returns the end to write answers to."""
    reading, writing = os.pipe()
    before = os.dup(0)
    os.dup2(reading, 0)
    os.close(reading)
    yield writing
    os.dup2(before, 0)
    os.close(before)
    os.close(writing)


def media(*names: str, abort: bool = False) -> Media:
    """Return media that ask "Next?"."""
    return Media(names, "Next?", abort=abort)


def opener(name: str) -> str:
    """Open what is not called bad."""
    if "bad" in name:
        raise FileNotFoundError(2, "No such file", name)
    return f"open {name}"


def test_named_files_come_in_order() -> None:
    """Each name is known before it is opened, and remembered after."""
    found = media("a", "b")
    assert found.named() == "a"
    assert found.open_next(opener) == "open a"
    assert (found.name, found.named()) == ("a", "b")
    assert found.open_next(opener) == "open b"
    assert found.named() is None


def test_operator_is_asked_when_none_is_left(
    answers: int, capfd: pytest.CaptureFixture[str]
) -> None:
    """The answer names the next file."""
    os.write(answers, b"c\n")
    assert media().open_next(opener) == "open c"
    assert capfd.readouterr() == ("Next?\n", "")


def test_operator_is_asked_until_a_file_can_be_opened(
    answers: int, capfd: pytest.CaptureFixture[str]
) -> None:
    """Each failure is reported before the next question."""
    os.write(answers, b"bad too\ngood\n")
    found = media("bad")
    assert found.open_next(opener) == "open good"
    assert found.name == "good"
    out, err = capfd.readouterr()
    assert out == "Next?\n" * 2
    assert err.splitlines() == [
        "<err-0001-0040>bad: No such file (err_misc)",
        "<err-0001-0040>bad too: No such file (err_misc)",
    ]


def test_nobody_is_asked_with_abort(capfd: pytest.CaptureFixture[str]) -> None:
    """A file that cannot be opened, or is not named, ends the run."""
    found = media("bad", abort=True)
    with pytest.raises(UtilityError, match="bad: No such file"):
        found.open_next(opener)
    with pytest.raises(UtilityError, match="needs another volume, and none is named"):
        found.open_next(opener)
    assert capfd.readouterr() == ("", "")


def test_nobody_is_asked_when_the_image_has_standard_input(
    answers: int, capfd: pytest.CaptureFixture[str]
) -> None:
    """An answer would be taken out of the image."""
    os.write(answers, b"c\n")
    found = media("-")
    found.open_next(opener)
    with pytest.raises(UtilityError, match="none is named"):
        found.open_next(opener)
    assert capfd.readouterr().out == ""
