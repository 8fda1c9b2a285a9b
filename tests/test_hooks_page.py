"""The examples in docs/hooks.md work: csf calls their programs, with stand-in tools."""

from __future__ import annotations

import datetime
import json
import os
import re
import sys
import syslog
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import pytest
from installed_plugins import Installed
from waiting import wait_for

from csf_backup_plugin import plugin
from csf_backup_plugin.hookspecs import Outcome
from csf_backup_plugin.notices.program import SCHEMA

if TYPE_CHECKING:
    from conftest import Place, Tools

PAGE = (Path(__file__).parents[1] / "docs" / "hooks.md").read_text()
SCRIPTS = ("heartbeat", "chat", "mail", "rclone", "restic")
# Records its arguments and its input, and finally that it was called.
STAND_IN = """
printf '%s\\n' "$@" >> "$0.arguments"
cat > "$0.stdin"
echo >> "$0.calls"
"""


def block(mark: str) -> str:
    """Return the contents of the fenced block after a mark."""
    found = re.search(rf"<!-- {mark} -->\n```\w*\n(.*?)```", PAGE, re.DOTALL)
    assert found, f"the page has no block marked {mark}"
    return found[1]


def csf(*words: str) -> int:
    """Run a command; return its exit code."""
    group = click.Group("csf")
    plugin.register_commands(group)
    with pytest.raises(SystemExit) as caught:
        group.main([*words], "csf")
    assert isinstance(caught.value.code, int)
    return caught.value.code


def backup(place: Place) -> int:
    """Back `place` up; return the exit code."""
    image = f"localhost:{place.image}"
    return csf("admin_database_backup", "-database", place.master, "-image-file", image)


def suspicious_rotation(place: Place) -> int:
    """Make a set that is much smaller than the one before; return the exit code."""
    words = ("-database", place.master, "-image-dir", f"localhost:{place.images}")
    rotate = ("admin_database_rotate", *words)
    book = place.repository / "Book.db"
    book.write_bytes(bytes(100_000))
    assert csf(*rotate) == 0
    book.write_bytes(bytes(10))
    return csf(*rotate)


class Scripts:
    """The page's programs, and stand-ins for what they run.

    Args:
        tools: which are first on the path.
        directory: where the programs are to be.
        monkeypatch: names one.
    """

    def __init__(self, tools: Tools, directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.bin = tools.directory
        self._directory = directory
        self._monkeypatch = monkeypatch
        for name in ("curl", "mail", "rclone", "restic"):
            tools.write(name, STAND_IN)
        # Only the scripts' own variables, whatever the tests' environment is.
        tools.write("python3", f'exec {sys.executable} "$@"')
        monkeypatch.setenv("OFFSITE_LOG", str(directory / "log"))
        monkeypatch.setenv("CSF_BACKUP_STATE_DIR", str(directory / "state"))

    def use(self, name: str) -> None:
        """Let csf call a script of the page."""
        path = self._directory / name
        path.write_text(block(f"script: {name}"))
        path.chmod(0o755)
        self._monkeypatch.setenv("CSF_BACKUP_ON_FINISH", str(path))

    def calls(self, name: str) -> int:
        """Return how often a program was called."""
        path = self.bin / f"{name}.calls"
        return len(path.read_text().splitlines()) if path.exists() else 0

    def called(self, name: str, times: int = 1) -> tuple[list[str], str]:
        """Wait until a program was called so often; return its arguments and its input."""
        wait_for(lambda: self.calls(name) >= times)
        words = (self.bin / f"{name}.arguments").read_text().splitlines()
        return words, (self.bin / f"{name}.stdin").read_text()


@pytest.fixture
def scripts(tools: Tools, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Scripts:
    """Return the programs of the page."""
    return Scripts(tools, tmp_path, monkeypatch)


def test_every_program_of_the_page_is_tried_here() -> None:
    """The author of a new one must add a test."""
    assert tuple(re.findall(r"<!-- script: (\w+) -->", PAGE)) == SCRIPTS


def test_the_page_says_all_that_is_reported() -> None:
    """The order is that of the document."""
    table = PAGE.partition("| key | what it is |")[2].partition("\n\n")[0]
    assert re.findall(r"^\| `(\w+)` ", table, re.MULTILINE) == ["schema", *Outcome._fields]
    assert SCHEMA in table


def test_a_heartbeat_tells_each_end(
    scripts: Scripts, place: Place, capfd: pytest.CaptureFixture[str]
) -> None:
    """The address has the exit code, and the body is the document."""
    scripts.use("heartbeat")
    for code in (0, 10):
        assert backup(place) == code
        words, read = scripts.called("curl")
        assert words[-1] == f"https://hc.example.org/ping/csf/{code}"
        assert json.loads(read)["exit_code"] == code
    assert "CSF_BACKUP_ON_FINISH" not in capfd.readouterr().err


def test_a_chat_is_told_what_has_gone_wrong(
    scripts: Scripts, place: Place, capfd: pytest.CaptureFixture[str]
) -> None:
    """The message is a sentence; a success is not reported."""
    scripts.use("chat")
    assert backup(place) == 0
    assert scripts.calls("curl") == 0
    assert backup(place) == 10
    words, read = scripts.called("curl")
    assert words[-1] == "https://chat.example.org/hooks/csf"
    begin = (
        f"admin_database_backup of {place.master} on {os.uname().nodename}: refused, exit code 10."
    )
    assert json.loads(read)["text"].startswith(begin)
    assert (suspicious_rotation(place), scripts.calls("curl")) == (71, 2)
    assert "CSF_BACKUP_ON_FINISH" not in capfd.readouterr().err


def test_mail_tells_what_has_gone_wrong(
    scripts: Scripts, place: Place, capfd: pytest.CaptureFixture[str]
) -> None:
    """It has the whole document, with a line for each key."""
    scripts.use("mail")
    assert backup(place) == 0
    assert scripts.calls("mail") == 0
    assert backup(place) == 10
    words, read = scripts.called("mail")
    assert words == ["-s", f"csf on {os.uname().nodename}: refused, exit code 10", "root"]
    assert json.loads(read)["image"] == f"localhost:{place.image}"
    assert read.count("\n") > 10
    assert (suspicious_rotation(place), scripts.calls("mail")) == (71, 2)
    assert "CSF_BACKUP_ON_FINISH" not in capfd.readouterr().err


@pytest.mark.parametrize("name", ["rclone", "restic"])
def test_a_new_set_is_copied_to_another_site(
    scripts: Scripts, place: Place, name: str, capfd: pytest.CaptureFixture[str]
) -> None:
    """The receipt is copied last; failures and commands that make no set copy nothing."""
    scripts.use(name)
    files = [f"{place.image}{ending}" for ending in ("", ".dbn", ".receipt.json")]
    assert backup(place) == 0
    copied = [word for file in files for word in ("copyto", file, f"offsite:csf{file}")]
    times, expected = {
        "rclone": (3, copied),
        "restic": (1, ["backup", "--tag", "csf", *files]),
    }[name]
    assert scripts.called(name, times)[0] == expected
    assert backup(place) == 10
    assert csf("admin_database_verify", "-image-file", f"localhost:{place.image}") == 0
    assert scripts.calls(name) == times
    assert "CSF_BACKUP_ON_FINISH" not in capfd.readouterr().err


@pytest.mark.parametrize("hour", [3, 12])
def test_the_pages_plugin_refuses_and_logs(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tools: Tools, hour: int
) -> None:
    """The entry point that the page shows finds it."""
    logged = list[Any]()

    class Clock(datetime.datetime):
        @classmethod
        def now(cls, tz: datetime.tzinfo | None = None) -> Clock:
            return cls(2026, 11, 30, hour, tzinfo=tz)

    monkeypatch.setattr(datetime, "datetime", Clock)
    monkeypatch.setattr(syslog, "syslog", lambda *words: logged.append(words))
    entry = re.search(
        r'\[project.entry-points.csf_backup\]\n(\w+) = "(\w+)"', block("plugin: entry point")
    )
    assert entry
    installed = Installed(tmp_path / "site", monkeypatch)
    installed.add(entry[2], block("plugin: module"), entry=entry[1], head="")
    image = f"localhost:{place.image}"
    code = csf("admin_database_restore", "-database", place.master, "-image-file", image, "-yes")
    assert code == (21 if hour == 3 else 50)
    ((level, text),) = logged
    outcome = "refused" if hour == 3 else "failed"
    assert level == syslog.LOG_ERR
    assert text.startswith(f"admin_database_restore: {outcome}: ")
