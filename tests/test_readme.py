"""The README shows what is: help, exit codes and commands are compared with the program's own."""

from __future__ import annotations

import contextlib
import re
import shlex
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import click
from scheduling import HERE, host_with

from csf_backup_plugin import plugin
from csf_backup_plugin.cli import COMMANDS, runner
from csf_backup_plugin.exit_codes import EXIT_CODES
from csf_backup_plugin.operations.schedule import surroundings

if TYPE_CHECKING:
    import pytest

README = (Path(__file__).parents[1] / "README.md").read_text()


def block(mark: str) -> str:
    """Return what is in the fenced block behind a mark."""
    found = re.search(rf"<!-- {mark} -->\n```\w*\n(.*?)```", README, re.DOTALL)
    assert found, f"README has no block marked {mark}"
    return found[1]


def test_every_commands_help_is_shown_as_it_is() -> None:
    """Options are documented in one place, the program."""
    for command in COMMANDS:
        parent = click.Context(click.Group("csf"), info_name="csf")
        context = click.Context(
            command, parent, command.name, terminal_width=90, **command.context_settings
        )
        assert block(f"help of {command.name}") == command.get_help(context) + "\n"


def test_every_exit_code_is_shown_as_it_is() -> None:
    """From the one table."""
    rows = [f"| {code} | {meaning} |" for code, meaning in EXIT_CODES]
    table = ["<!-- exit codes -->", "| code | meaning |", "|---:|---|", *rows, "", ""]
    assert "\n".join(table) in README


def test_the_program_that_makes_quiet_stops_and_starts_a_service(tmp_path: Path) -> None:
    """And says whether that went well."""
    (tmp_path / "quiesce").write_text(block("quiesce"))
    (tmp_path / "systemctl").write_text('#!/bin/sh\necho "$@"; exit 5\n')
    for name in ("quiesce", "systemctl"):
        (tmp_path / name).chmod(0o755)
    for word, said in (("begin", "stop"), ("end", "start")):
        ran = subprocess.run(
            [tmp_path / "quiesce", word, "/r/lib.db"],
            env={"PATH": f"{tmp_path}:/usr/bin:/bin"},
            capture_output=True,
            text=True,
        )
        assert (ran.returncode, ran.stdout) == (5, f"{said} library.service\n")


def test_the_schedule_is_shown_as_it_is(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of the command line above it, on a machine where all of that is."""
    host = host_with("/backup1", "/backup2")
    monkeypatch.setattr(runner, "connect", lambda *_: contextlib.nullcontext(host))
    monkeypatch.setattr(surroundings, "look_around", lambda *_: HERE._replace(user="root"))
    line, *shown = block("schedule").splitlines(keepends=True)
    plugin.register_commands(csf := click.Group("csf"))
    csf.main(shlex.split(line.removeprefix("$ csf ")), "csf", standalone_mode=False)
    assert "".join(shown) == capsys.readouterr().out
