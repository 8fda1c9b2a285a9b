"""The demonstration."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

import click
import pytest

from csf_simulator.cli import demo
from csf_simulator.cli.story import STORY, Step
from csf_simulator.simulator import Result


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return where temporary directories are made."""
    made = tmp_path / "place"
    made.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(made))
    return made


@pytest.fixture
def real(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Let variables of the environment name programs that report if they are run."""
    programs = tmp_path / "real" / "bin"
    programs.mkdir(parents=True)
    for tool in ("osbackup", "osrestore", "osverifydb"):
        program = programs / tool
        program.write_text(f"#!/bin/sh\ntouch {programs.parent}/was-run\nexit 3\n")
        program.chmod(0o755)
        monkeypatch.setenv(f"CSF_BACKUP_{tool.upper()}", str(program))
    monkeypatch.setenv("CSF_BACKUP_SSH", str(program))
    monkeypatch.setenv("CSF_BACKUP_LOCK_WAIT", "nonsense")
    monkeypatch.setenv("CSF_BACKUP_LOG", str(programs.parent / "log"))
    monkeypatch.setenv("OS_ROOTDIR", str(programs.parent))
    return programs.parent


def test_the_story_holds(
    real: Path, place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every command is shown, runs, and does what the story says; nothing is left behind.

    It fits 80 columns, at any place, which is left out of the output. No real program of the
    environment is run.
    """
    monkeypatch.setattr(tempfile, "tempdir", str(long := place / ("a b" * 30)))
    long.mkdir()
    demo.play()
    output = capsys.readouterr().out
    assert output.count("\n\n    $ ") == len(STORY)
    assert [line for line in output.splitlines() if len(line) > 80] == []
    assert long.name not in output
    assert "\033" not in output
    assert list(long.iterdir()) == []
    assert os.listdir(real) == ["bin"]


@pytest.mark.parametrize(
    ("step", "message"),
    [
        (Step("It fails.", "false"), "exit code 1"),
        (Step("It is silent.", "echo Lion", shows=("Penguin",)), r"missing in the output: \['Peng"),
        (Step("It talks.", "echo Penguin", hides=("Penguin",)), r"should not be: \['Penguin'\]"),
    ],
)
@pytest.mark.usefixtures("place")
def test_a_step_that_does_not_hold_ends_the_story(
    step: Step, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A demonstration that proves nothing must fail."""
    monkeypatch.setattr(demo, "STORY", (step,))
    with pytest.raises(click.ClickException, match=message):
        demo.play()


def test_without_the_plugin_it_says_how_to_install_it(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A csf without the backup command gets an explanation."""
    said = "Error: No such command 'admin_database_backup'."
    ended = Result(2, said, "")
    monkeypatch.setattr("csf_simulator.simulator.Simulator.run", lambda *_: ended)
    with pytest.raises(click.ClickException) as caught:
        demo.play()
    assert f"{sys.executable} -m pip install ." in caught.value.message
    assert said in caught.value.message
    assert list(place.iterdir()) == []


def test_a_story_can_be_told_at_a_place_with_quotes(
    place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The shell gets each name as one word."""
    monkeypatch.setattr(tempfile, "tempdir", str(odd := place / "a b's $HOME"))
    odd.mkdir()
    monkeypatch.setattr(demo, "STORY", (Step("A zoo.", "csf-sim create {place}/zoo.db"),))
    demo.play()
    assert "    $ csf-sim create /zoo.db\n    /zoo.db\n" in capsys.readouterr().out
