"""What every utility does around its own work."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from csf_simulator.program.errors import UsageError, UtilityError
from csf_simulator.utilities.command import ask, require_home, restore_signals, run_utility, say


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


def test_home_is_the_variable_s(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A relative home is one of the current directory."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CSF_SIM_HOME", "home")
    assert require_home() == str(tmp_path / "home")
    assert not (tmp_path / "home").exists()


@pytest.mark.parametrize("value", [None, ""])
def test_without_a_home_nothing_runs(monkeypatch: pytest.MonkeyPatch, value: str | None) -> None:
    """The message names the variable and both ways to get it."""
    monkeypatch.delenv("CSF_SIM_HOME", raising=False)
    if value is not None:
        monkeypatch.setenv("CSF_SIM_HOME", value)
    worked: list[list[str]] = []
    with pytest.raises(SystemExit, match=r"(?s)CSF_SIM_HOME.*csf-sim run.*csf-sim env"):
        run_utility(worked.append, "usage", [])
    assert not worked


def test_words_keep_their_bytes(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    """A name that is no text arrives as it is on the disk."""
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
    """An operator who is not there cannot be waited for."""
    os.write(answers, answer)
    os.close(answers)
    with pytest.raises(UtilityError, match="standard input ended"):
        ask("Which?", 2)


@pytest.mark.parametrize(
    ("failure", "said"),
    [
        (None, ""),
        (UsageError("unknown option: -x"), "unknown option: -x\nusage: it\n"),
        (UtilityError("broken"), "<err-0001-0040>broken (err_misc)\n"),
        (
            FileNotFoundError(2, "No such file", "/a"),
            "<err-0001-9901>/a: No such file (err_database_not_found)\n",
        ),
        (ValueError("odd"), "<err-0001-0040>odd (err_misc)\n"),
    ],
)
def test_failure_is_told_on_stderr(
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    failure: Exception | None,
    said: str,
) -> None:
    """The exit status is 1 for any failure and 0 for none."""
    monkeypatch.setenv("CSF_SIM_HOME", "/home")

    def work(argv: list[str]) -> None:
        assert argv == ["x"]
        if failure is not None:
            raise failure

    assert run_utility(work, "usage: it", ["x"]) == int(failure is not None)
    assert capfd.readouterr() == ("", said)


def test_signals_end_the_process_again() -> None:
    """What Python ignores or turns into an exception ends a program of C++."""
    numbers = (signal.SIGPIPE, signal.SIGXFSZ, signal.SIGINT)
    before = [(number, signal.getsignal(number)) for number in numbers]
    try:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        restore_signals()
        assert [signal.getsignal(number) for number in numbers] == [signal.SIG_DFL] * 3
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        restore_signals()
        assert signal.getsignal(signal.SIGINT) == signal.SIG_IGN  # as in the background of a shell
    finally:
        for number, handler in before:
            signal.signal(number, handler)


def test_closed_standard_descriptors_are_occupied() -> None:
    """No file opened later can become standard output or standard error."""
    script = (
        "import os\n"
        "from csf_simulator.utilities.command import occupy_standard_descriptors\n"
        "os.close(0); os.close(1)\n"
        "occupy_standard_descriptors()\n"
        "assert os.open(os.devnull, os.O_RDONLY) == 3\n"
        "os.write(1, b'lost'); os.write(2, b'seen')"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True)
    assert (done.stdout, done.stderr) == (b"", b"seen")
