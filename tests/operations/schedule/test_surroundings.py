"""What a schedule must know of the environment of csf."""

from __future__ import annotations

import os
import pwd
from typing import TYPE_CHECKING
from unittest import mock

import pytest

from csf_backup_plugin.errors import UsageError
from csf_backup_plugin.hosts.protocol.values import Machine
from csf_backup_plugin.operations.schedule import surroundings
from csf_backup_plugin.operations.schedule.surroundings import Surroundings, look_around

if TYPE_CHECKING:
    from pathlib import Path

MACHINE = Machine("b" * 32, "desk", "2026-11-30T12:00:00+00:00")


@pytest.fixture(autouse=True)
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a directory with a csf as working directory; no mailer is anywhere else."""
    monkeypatch.setattr(surroundings, "_MAILERS", str(tmp_path / "sbin"))
    monkeypatch.chdir(tmp_path)
    for name in ("csf", "other csf"):
        (tmp_path / name).write_text("")
        (tmp_path / name).chmod(0o755)
    return tmp_path


def looked(programs: Path, called: str = "csf", **environ: str) -> Surroundings:
    """Return the result of the search, with the programs on PATH."""
    return look_around(called, {"PATH": str(programs), **environ}, MACHINE)


def test_csf_is_the_program_that_was_called(programs: Path) -> None:
    """It may be called by any path or name; after python -c, the csf on PATH counts."""
    for called in ("csf", str(programs / "csf"), "./csf", "-c", "/nowhere/csf"):
        assert looked(programs, called).csf == str(programs / "csf")
    assert looked(programs, "./other csf").csf == str(programs / "other csf")


def test_a_csf_that_is_nowhere_is_reported(programs: Path) -> None:
    """A wrong path in a schedule would be found only at night."""
    (programs / "csf").unlink()
    with pytest.raises(UsageError, match="It is not known where csf is: it was called as -c"):
        looked(programs, "-c")


def test_the_variables_are_those_that_commands_depend_on(programs: Path) -> None:
    """They are copied as they are; an empty one is left out."""
    found = looked(
        programs,
        OS_ROOTDIR="/opt/os",
        CSF_BACKUP_RAID="sda sdb",
        CSF_BACKUP_LOG="",
        HOME="/root",
        XCSF_BACKUP_Y="z",
    )
    assert found.variables == {
        "CSF_BACKUP_RAID": "sda sdb",
        "OS_ROOTDIR": "/opt/os",
        "PATH": str(programs),
    }
    assert look_around(str(programs / "csf"), {}, MACHINE).variables == {}


def test_a_variable_of_two_lines_is_refused(programs: Path) -> None:
    """Neither a crontab nor a unit can hold it."""
    with pytest.raises(UsageError, match="CSF_BACKUP_SSH=a.x0ab holds a control character"):
        looked(programs, CSF_BACKUP_SSH="a\nb")


def test_the_mailer_is_where_cron_looks_for_it(programs: Path) -> None:
    """Otherwise PATH counts; there may be none."""
    assert looked(programs).mailer == ""
    for directory in (programs, programs / "sbin"):
        directory.mkdir(exist_ok=True)
        (directory / "sendmail").write_text("")
        (directory / "sendmail").chmod(0o755)
        assert looked(programs).mailer == str(directory / "sendmail")


@pytest.mark.parametrize("name", ["a b", "a:b", "", "-x", "DOMAIN\\user", "a%b"])
def test_a_user_whose_name_a_schedule_cannot_hold_is_told(programs: Path, name: str) -> None:
    """A user without a name is reported, too."""
    entry = mock.Mock(pw_name=name)
    with (
        mock.patch.object(pwd, "getpwuid", return_value=entry),
        pytest.raises(UsageError, match="The user [0-9]+ is "),
    ):
        looked(programs)


def test_a_user_who_is_in_no_database_is_told(programs: Path) -> None:
    """Some containers have such users."""
    with (
        mock.patch.object(pwd, "getpwuid", side_effect=KeyError),
        pytest.raises(UsageError, match=f"The user {os.geteuid()} is without a name"),
    ):
        looked(programs)
