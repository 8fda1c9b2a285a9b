"""csf-sim fault: scripting faults from the shell."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner, Result

from csf_simulator.cli.main import main
from csf_simulator.faults.kinds import KINDS, described
from csf_simulator.home import Home

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """Return a home that does not exist yet."""
    return Home(str(tmp_path / "home"))


def fault(home: Home, *args: str) -> Result:
    """Run csf-sim fault."""
    return CliRunner().invoke(main, ["--home", home.path, "fault", *args])


def test_faults_are_scripted_shown_and_cleared(home: Home) -> None:
    """The list shows the faults that have not struck yet, and clearing empties it."""
    assert fault(home, "osbackup", "exit", "3", "--always").exit_code == 0
    assert fault(home, "osrestore", "hang").exit_code == 0
    assert fault(home).output == "osbackup exit 3 --always\nosrestore hang\n"
    home.faults.strike("osbackup")
    assert fault(home).output == "osrestore hang\n"
    assert fault(home, "--clear").exit_code == 0
    assert fault(home).output == ""


@pytest.mark.parametrize(
    ("args", "code", "words"),
    [
        (["osbackup"], 2, "Name a TOOL and a KIND"),
        (["osbackup", "hang", "--clear"], 2, "Name a TOOL and a KIND"),
        (["osbackup", "nonsense"], 1, "osbackup has no fault nonsense; there are: exit, "),
        (["csf", "hang"], 1, "csf has no fault hang; there are: osbackup, osrestore"),
        (
            ["osbackup", "exit", "no"],
            1,
            "exit no: exit takes a status from 1 to 255, as in: exit 3",
        ),
        (["osbackup", "signal", "NONE"], 1, "takes the name of a signal, as in: signal KILL"),
        (["osbackup", "slow", "4g/year"], 1, "takes a size per s, m or h, as in: slow 4g/h"),
        (["osrestore", "hang", "5"], 1, "osrestore hang 5: hang takes no value"),
    ],
)
def test_what_makes_no_sense_is_refused(home: Home, args: list[str], code: int, words: str) -> None:
    """The error says which faults, tools or values there are."""
    result = fault(home, *args)
    assert result.exit_code == code
    assert words in result.output


def test_help_lists_every_kind(home: Home) -> None:
    """Help shows each kind with its value and what happens, one a line."""
    output = fault(home, "--help").output
    assert "enospc SIZE" in output
    assert "vanish" in output
    lines = [" ".join(line.split()) for line in output.splitlines()]
    assert all(len(line) <= 80 for line in output.splitlines())
    assert [f"{kind} {happens}" for kind, happens in described()] == lines[-len(KINDS) :]
