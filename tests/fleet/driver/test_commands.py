"""The command lines of jobs, from what a fleet file says about a repository."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from fleets import written

from csf_backup_plugin.errors import UsageError
from csf_backup_plugin.fleet.driver.commands import ACTIONS, commands
from csf_backup_plugin.fleet.file import read_fleet

if TYPE_CHECKING:
    from pathlib import Path

    from csf_backup_plugin.fleet.repository import FleetRepository

LEAST = {"database": "db1:/r/lib.db", "image-dirs": "/b1"}
ALL = {
    "database": "db1:/r/lib.db",
    "image-dirs": "\n  /b1\n  /b 2",
    "every": "6h",
    "dated-day": "monday",
    "keep-dated": "4",
    "keep-monthly": "12",
    "keep-yearly": "0",
    "drill-every": "30d",
    "scratch-dir": "/scratch",
    "copy-to": "\n  db2:/c1\n  db3:/c2",
    "copy-keep": "3",
    "wait": "60",
    "timeout": "1.5",
    "no-checksum": "yes",
    "require-mount": "yes",
    "accept-small": "yes",
    "quiesce": "/bin/quiet",
    "require-quiet": "yes",
    "strict": "yes",
}


def of(tmp_path: Path, keys: dict[str, str]) -> FleetRepository:
    """Return a repository of a fleet file."""
    (one,) = read_fleet(written(tmp_path / "fleet", {"lib": keys})).repositories
    return one


def test_the_least_is_what_is_about_the_repository(tmp_path: Path) -> None:
    """Other options keep their defaults, and a set is promised each day, as by a schedule."""
    (rotate,) = commands("rotate", of(tmp_path, LEAST), ())
    assert rotate.words == (
        *("admin_database_rotate", "-database", "/r/lib.db", "-image-dir", "db1:/b1"),
        *("-every", "24h"),
    )
    (verify,) = commands("verify", of(tmp_path, LEAST), ())
    assert verify.words == (
        *("admin_database_verify", "-image-dir", "db1:/b1", "-database", "/r/lib.db"),
    )
    assert (verify.about, rotate.about) == ("", "")
    assert commands("copy", of(tmp_path, LEAST), ()) == []


def test_a_rotation_has_all_that_the_file_says(tmp_path: Path) -> None:
    """They become options."""
    (rotate,) = commands("rotate", of(tmp_path, ALL), ())
    assert rotate.words == (
        *("admin_database_rotate", "-database", "/r/lib.db"),
        *("-image-dir", "db1:/b1", "-image-dir", "db1:/b 2", "-dated-day", "monday"),
        *("-keep-dated", "4", "-keep-monthly", "12", "-keep-yearly", "0"),
        *("-drill-every", "30d", "-scratch-dir", "/scratch", "-every", "6h"),
        *("-wait", "60", "-timeout", "1.5", "-quiesce", "/bin/quiet"),
        *("-no-checksum", "-require-mount", "-accept-small", "-require-quiet", "-strict"),
    )
    assert [top.directory for top in rotate.directories] == ["/b1", "/b 2"]


def test_a_directory_is_verified_and_drilled_by_itself(tmp_path: Path) -> None:
    """If there are several, the directory is named."""
    one = of(tmp_path, ALL)
    for action in ("verify", "drill"):
        found = commands(action, one, ())
        assert [command.about for command in found] == ["db1:/b1", "db1:/b 2"]
        assert [command.words[:3] for command in found] == [
            (ACTIONS[action], "-image-dir", "db1:/b1"),
            (ACTIONS[action], "-image-dir", "db1:/b 2"),
        ]
    drill = commands("drill", one, ())[1]
    assert drill.words[3:] == (
        *("-database", "/r/lib.db", "-last-good", "-scratch-dir", "/scratch"),
    )


def test_the_newest_set_is_copied_to_each_directory(tmp_path: Path) -> None:
    """A status finds the directory that has it."""
    first, second = commands("copy", of(tmp_path, ALL), ())
    assert first.words == (
        *("admin_database_copy", "-image-file", "{newest}", "-to", "db2:/c1", "-keep", "3"),
    )
    assert first.newest == (
        *("admin_database_status", "-database", "db1:/r/lib.db"),
        *("-image-dir", "db1:/b1", "-image-dir", "db1:/b 2"),
    )
    assert [(top.host, top.directory) for top in second.directories] == [
        *(("db1", "/b1"), ("db1", "/b 2"), ("db3", "/c2")),
    ]
    assert (first.about, second.about) == ("db2:/c1", "db3:/c2")
    (only,) = commands("copy", of(tmp_path, {**LEAST, "copy-to": "db2:/c"}), ())
    assert (only.words[-2:], only.about) == (("-to", "db2:/c"), "")


def test_what_is_given_counts_instead_of_the_file(tmp_path: Path) -> None:
    """Options may be written in any form; one that may not come twice comes once."""
    given = ("--keep-dated=9", "-wait", "1", "-strict", "-dry-run")
    (rotate,) = commands("rotate", of(tmp_path, ALL), given)
    assert rotate.words[-5:] == given
    for name, count in {"-keep-dated": 0, "-wait": 1, "-strict": 1, "-keep-monthly": 1}.items():
        assert rotate.words.count(name) == count
    assert "60" not in rotate.words


def test_a_drill_needs_a_scratch_directory(tmp_path: Path) -> None:
    """It comes from the file or from the command line."""
    one = of(tmp_path, LEAST)
    with pytest.raises(UsageError, match=r"\[lib\] has no scratch-dir"):
        commands("drill", one, ())
    (drill,) = commands("drill", one, ("-scratch-dir", "/s"))
    assert drill.words[-2:] == ("-scratch-dir", "/s")
