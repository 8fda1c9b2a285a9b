"""Commands are loaded once more than their line in csf's help is needed."""

from __future__ import annotations

import copy
import subprocess
import sys
from importlib import import_module

import click
import pytest

from csf_backup_plugin.cli import COMMANDS, MODULES


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


def test_a_command_can_be_copied() -> None:
    """What it does not have is no endless search."""
    command = copy.copy(COMMANDS[0])
    assert command.params is COMMANDS[0].params
    assert not hasattr(command, "_other")


def test_a_command_runs_alone(capsys: pytest.CaptureFixture[str]) -> None:
    """Without a csf around it, as click allows."""
    with pytest.raises(SystemExit) as caught:
        COMMANDS[0].main(["-help"], prog_name="csf admin_database_backup")
    assert caught.value.code == 0
    assert capsys.readouterr().out.startswith("Usage: csf admin_database_backup [OPTIONS]")
