"""Commands are loaded once more than their line in csf's help is needed."""

from __future__ import annotations

import copy
import json
import subprocess
import sys
from importlib import import_module
from typing import TYPE_CHECKING

import click
import pytest

from csf_backup_plugin.cli import COMMANDS, MODULES
from csf_backup_plugin.exit_codes import ExitCode

if TYPE_CHECKING:
    from pathlib import Path


def test_csfs_help_loads_no_module_of_a_command() -> None:
    """The lines are there all the same."""
    program = (
        "import sys, click; from csf_backup_plugin.cli import COMMANDS\n"
        "group = click.Group('csf', {one.name: one for one in COMMANDS})\n"
        "print(group.get_help(click.Context(group, terminal_width=200)))\n"
        "print(*sys.modules, sep='\\n')\n"
    )
    said = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True
    ).stdout.splitlines()
    for name, line in MODULES.items():
        assert any(one.split() == [f"admin_database_{name}", *line.split()] for one in said)
        assert f"csf_backup_plugin.cli.{name}" not in said


@pytest.mark.parametrize("command", COMMANDS, ids=list(MODULES))
def test_the_rest_is_what_the_commands_module_declares(command: click.Command) -> None:
    """A csf that goes through the commands finds their options and texts."""
    name = str(command.name)
    module = import_module(f"csf_backup_plugin.cli.{name.removeprefix('admin_database_')}")
    declared = getattr(module, name)
    assert command.params is declared.params
    assert command.callback is declared.callback
    context = click.Context(declared, info_name=name, **declared.context_settings)
    assert command.get_help(context) == declared.get_help(context)
    with pytest.raises(click.UsageError, match="No such option"):
        command.make_context(name, ["-x"], resilient_parsing=True)


def test_what_is_changed_of_a_command_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another plugin may wrap a command's callback, or hide the command."""
    from csf_backup_plugin.cli.verify import admin_database_verify

    command = next(one for one in COMMANDS if one.name == "admin_database_verify")
    wrapped = str.strip
    monkeypatch.setattr(admin_database_verify, "callback", admin_database_verify.callback)
    command.callback = wrapped
    assert admin_database_verify.callback is wrapped
    monkeypatch.setattr(command, "hidden", True)
    assert not admin_database_verify.hidden


def test_a_command_can_be_copied() -> None:
    """What it does not have is no endless search."""
    command = copy.copy(COMMANDS[0])
    assert command.params is COMMANDS[0].params
    assert not hasattr(command, "_other")


def test_a_command_runs_alone(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It needs no csf around it, as any command of click."""
    monkeypatch.setenv("CSF_BACKUP_STATE_DIR", str(tmp_path / "state"))
    manifest = next(one for one in COMMANDS if one.name == "admin_database_manifest")
    with pytest.raises(SystemExit) as caught:
        manifest.main(["-database", f"{tmp_path}/none.db", "-json"], prog_name="csf")
    assert caught.value.code == ExitCode.REPOSITORY_NOT_FOUND
    assert json.loads(capsys.readouterr().out)["exit_code"] == ExitCode.REPOSITORY_NOT_FOUND
