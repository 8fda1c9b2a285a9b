"""The documents are true: help, exit codes and commands are the program's own."""

from __future__ import annotations

import contextlib
import shlex
import subprocess
from typing import TYPE_CHECKING

import click
import reference
from documents import PAGES, README, anchors, block, is_there, links
from scheduling import HERE, host_with

from csf_backup_plugin import plugin
from csf_backup_plugin.cli import COMMANDS, runner
from csf_backup_plugin.operations.schedule import surroundings

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

README_LINES = 120


def test_help_and_exit_codes_are_shown_as_they_are() -> None:
    """The program is the only source; ``python tests/reference.py`` updates the pages."""
    for page, text in reference.pages().items():
        assert page.read_text() == text
    assert all(block(f"help of {command.name}") for command in COMMANDS)


def test_a_new_command_gets_a_chapter(monkeypatch: pytest.MonkeyPatch) -> None:
    """It comes after the others, and nothing else changes."""
    new = click.Command("admin_database_new", help="Be new.")
    monkeypatch.setattr(reference, "COMMANDS", (*COMMANDS, new))
    before = reference.COMMANDS_PAGE.read_text()
    added = reference.pages()[reference.COMMANDS_PAGE].removeprefix(before)
    assert added.startswith(
        "\n## admin_database_new\n\n<!-- help of admin_database_new -->\n"
        "```\nUsage: csf admin_database_new [OPTIONS]\n\n  Be new.\n"
    )


def test_the_program_that_makes_quiet_stops_and_starts_a_service(tmp_path: Path) -> None:
    """It also reports whether that succeeded."""
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
    """It is that of the command line above it, on a suitable machine."""
    host = host_with("/backup1", "/backup2")
    monkeypatch.setattr(runner, "connect", lambda *_: contextlib.nullcontext(host))
    monkeypatch.setattr(surroundings, "look_around", lambda *_: HERE._replace(user="root"))
    line, *shown = block("schedule").splitlines(keepends=True)
    plugin.register_commands(csf := click.Group("csf"))
    csf.main(shlex.split(line.removeprefix("$ csf ")), "csf", standalone_mode=False)
    assert "".join(shown) == capsys.readouterr().out


def test_every_link_leads_to_a_file_and_a_heading_of_it() -> None:
    """All pages are checked; links to other sites are not followed."""
    broken = [
        f"{page.name}: {target}"
        for page in PAGES
        for target in links(page)
        if not is_there(page, target)
    ]
    assert broken == []


def test_a_link_that_leads_nowhere_is_found(tmp_path: Path) -> None:
    """It may lead to a page or a heading; code has neither links nor headings."""
    (tmp_path / "there.md").write_text("# A page's `heading`\n```sh\n# comment\n```\n")
    page = tmp_path / "page.md"
    shown = ("gone.md", "there.md#comment", "#gone")
    sound = ("there.md", "there.md#a-pages-heading", "#page")
    page.write_text("# Page\n" + "".join(f"[a link]({to})\n" for to in (*shown, *sound)))
    assert anchors(tmp_path / "there.md") == {"a-pages-heading"}
    assert [to for to in links(page) if not is_there(page, to)] == [*shown]


def test_the_readme_is_short() -> None:
    """A reader reads all of it; docs/ has the rest."""
    assert len(README.read_text().splitlines()) <= README_LINES
