"""What README.md and docs/first-week.md show of a shell, where nothing is set up but a csf."""

from __future__ import annotations

import os
import re
import sys
from typing import TYPE_CHECKING

import consoles
import pytest
from documents import DOCS, README

if TYPE_CHECKING:
    from pathlib import Path

FIRST_WEEK = DOCS / "first-week.md"
DIRECTORIES = ("databases", "backups", "restored", "var/tmp")
ACTIVATE = f'export PATH="{os.path.dirname(sys.executable)}:$PATH"\n'  # as venv's own script does
FOLDED = r"\n {4}(?=\S)"
# Patterns of what differs from day to day, machine or run, and their replacements.
OTHERS = (
    (r"\d{4}-\d\d-\d\dT[\d:]+\+00:00", "TIME"),
    (r"\d{4}-\d\d-\d\d(-\d{6})?", "DATE"),
    (r"\b(mon|tues|wednes|thurs|fri|satur)day\b|\bdated\b", "PLACE"),
    (r"(newest that was drilled); .*", r"\1"),
    (r"\b[\d.]+ (s|min|h)\b", "TIME"),
    (r"\b[\d.]+ kB\b", "SIZE"),
    (r"SHA-256 \w+", "SHA-256"),
    (r"room for [^.]*\.", "room."),
    (r"(shared physical disk): \w+", r"\1"),
    (r"^\d+ (\d+ \* \* \*)", r"MINUTE \1"),
    (r"^(PATH|MAILTO)=.*", r"\1"),
    (r"(crontab of) \S+:", r"\1 USER:"),
    (r"/\S*/bin/(csf|os\w+)", r"\1"),
    (r" -require-mount", ""),
    (r"^warning: .*\b(disk|file system|sendmail)\b.*\n", ""),
    (r"^CSF_BACKUP_STATE_DIR=.*\n", ""),  # the simulator's
)


def plain(text: str) -> str:
    """Return printed or documented text, unfolded, and without the parts that vary."""
    text = re.sub(FOLDED, " ", text)
    for pattern, instead in OTHERS:
        text = re.sub(pattern, instead, text, flags=re.MULTILINE)
    return " ".join(text.split())


@pytest.mark.parametrize("page", [README, FIRST_WEEK], ids=lambda page: page.stem)
def test_every_command_prints_what_is_shown(page: Path, tmp_path: Path) -> None:
    """All commands run in order, in one shell of a new user, as the page shows them."""
    home = tmp_path / "home" / "operator"
    for path in (*(tmp_path / name for name in DIRECTORIES), home / ".venv" / "bin"):
        path.mkdir(parents=True)
    (home / ".venv" / "bin" / "activate").write_text(ACTIVATE)
    shown = consoles.sessions(page.read_text())
    commands = [
        re.sub(rf"(?<![\w.~])/({'|'.join(DIRECTORIES)})\b", rf"{tmp_path}/\1", one.command)
        for one in shown
    ]
    printed = consoles.run(commands, {"HOME": str(home), "PATH": os.defpath}, home)
    for one, text in zip(shown, printed, strict=True):
        assert plain(text.replace(str(tmp_path), "")) == plain(one.output), one.command


def test_the_simulator_is_installed_as_the_readme_says() -> None:
    """The command that the README shows before the demonstration installs the simulator."""
    (install,) = re.findall(r"^python3 -m venv .*", FIRST_WEEK.read_text(), re.MULTILINE)
    assert f"{install} && .venv/bin/csf-sim demo\n" in README.read_text()
