"""The demonstration."""

from __future__ import annotations

import glob
import os
import sys
import tempfile

import click
import pytest

from csf_simulator.cli import demo
from csf_simulator.cli.story import STORY, Step
from csf_simulator.simulator import Result


@pytest.fixture
def place(tmp_path: os.PathLike[str], monkeypatch: pytest.MonkeyPatch) -> str:
    """Where temporary directories are made."""
    monkeypatch.setattr(tempfile, "tempdir", os.fspath(tmp_path))
    return os.fspath(tmp_path)


def test_the_story_holds(place: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Every command is shown, runs, and does what is said of it; nothing is left behind."""
    demo.play()
    output = capsys.readouterr().out
    assert output.count("\n    $ ") == len(STORY)
    assert "\033" not in output
    assert os.listdir(place) == []


def test_no_real_program_of_the_surroundings_is_run(
    place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the variables of csf-backup-plugin and ObjectStore name."""
    real = os.path.join(place, "real")
    os.makedirs(os.path.join(real, "bin"))
    for tool in ("osbackup", "osrestore", "osverifydb"):
        path = os.path.join(real, "bin", tool)
        with open(path, "w") as file:
            file.write(f"#!/bin/sh\ntouch {real}/was-run\nexit 3\n")
        os.chmod(path, 0o755)
        monkeypatch.setenv(f"CSF_BACKUP_{tool.upper()}", path)
    monkeypatch.setenv("CSF_BACKUP_SSH", path)
    monkeypatch.setenv("CSF_BACKUP_LOCK_WAIT", "nonsense")
    monkeypatch.setenv("CSF_BACKUP_LOG", os.path.join(real, "log"))
    monkeypatch.setenv("OS_ROOTDIR", real)
    demo.play()
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
    """A demonstration that proves nothing fails loudly."""
    monkeypatch.setattr(demo, "STORY", (step,))
    monkeypatch.setattr(demo, "_require_plugin", lambda sim: None)
    with pytest.raises(click.ClickException, match=message):
        demo.play()


def test_without_the_plugin_it_says_how_to_install_it(
    place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """csf without the backup command is no mystery."""
    said = Result(2, "", "No such command 'admin_database_backup'.")
    monkeypatch.setattr("csf_simulator.simulator.Simulator.csf", lambda *_: said)
    with pytest.raises(click.ClickException) as ended:
        demo.play()
    assert f"{sys.executable} -m pip install ." in ended.value.message
    assert said.stderr in ended.value.message
    assert glob.glob(f"{place}/*") == []


def test_the_story_can_be_told_at_any_place(
    place: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Commands are quoted as a user would have to quote them."""
    odd = os.path.join(place, "a b's")
    os.mkdir(odd)
    monkeypatch.setattr(tempfile, "tempdir", odd)
    monkeypatch.setattr(demo, "STORY", (Step("A zoo.", "csf-sim create {place}/zoo.db"),))
    demo.play()
    assert "    $ csf-sim create '" in capsys.readouterr().out
