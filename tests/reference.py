"""What docs/reference/ shows of the program; ``python tests/reference.py`` updates it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import click
from documents import DOCS

from csf_backup_plugin.cli import COMMANDS
from csf_backup_plugin.exit_codes import EXIT_CODES

if TYPE_CHECKING:
    from pathlib import Path

COMMANDS_PAGE = DOCS / "reference" / "commands.md"
EXIT_CODES_PAGE = DOCS / "reference" / "exit-codes.md"
_COLUMNS = 90


def pages() -> dict[Path, str]:
    """Return the pages that show something of the program, with their new text."""
    return {
        COMMANDS_PAGE: _with_help(COMMANDS_PAGE.read_text()),
        EXIT_CODES_PAGE: _with_exit_codes(EXIT_CODES_PAGE.read_text()),
    }


def _with_help(text: str) -> str:
    """Return the page with each command's help; a new command gets a chapter at the end."""
    for command in COMMANDS:
        mark = f"<!-- help of {command.name} -->\n"
        if mark not in text:
            text += f"\n## {command.name}\n\n{mark}```\n```\n"
        before, _, after = text.partition(f"{mark}```\n")
        text = f"{before}{mark}```\n{_help(command)}\n```\n" + after.partition("```\n")[2]
    return text


def _help(command: click.Command) -> str:
    parent = click.Context(click.Group("csf"), info_name="csf")
    context = click.Context(
        command, parent, command.name, terminal_width=_COLUMNS, **command.context_settings
    )
    return command.get_help(context)


def _with_exit_codes(text: str) -> str:
    rows = "".join(f"| {code} | {meaning} |\n" for code, meaning in EXIT_CODES)
    table = f"<!-- exit codes -->\n| code | meaning |\n|---:|---|\n{rows}"
    return re.sub(r"<!-- exit codes -->\n(\|.*\n)+", lambda _: table, text)


if __name__ == "__main__":
    for page, text in pages().items():
        page.write_text(text)
