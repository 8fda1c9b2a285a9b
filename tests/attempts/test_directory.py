"""Where the ledger is: the first directory that is named."""

from __future__ import annotations

import os
import pwd
import stat
from typing import TYPE_CHECKING

import pytest

from csf_backup_plugin.attempts.directory import NoDirectory, make_directory, state_directory

if TYPE_CHECKING:
    from pathlib import Path

ALL = {
    "CSF_BACKUP_STATE_DIR": "/own",
    "STATE_DIRECTORY": "/var/lib/one:/var/lib/two",
    "XDG_STATE_HOME": "/xdg",
    "HOME": "/home/me",
}


@pytest.mark.parametrize(
    ("without", "directory"),
    [
        ([], "/own"),
        (["CSF_BACKUP_STATE_DIR"], "/var/lib/one"),
        (["CSF_BACKUP_STATE_DIR", "STATE_DIRECTORY"], "/xdg/csf-backup"),
        (
            ["CSF_BACKUP_STATE_DIR", "STATE_DIRECTORY", "XDG_STATE_HOME"],
            "/home/me/.local/state/csf-backup",
        ),
    ],
)
@pytest.mark.parametrize("absent", ["unset", "empty"])
def test_the_first_place_that_is_named_is_taken(
    without: list[str], directory: str, absent: str
) -> None:
    """An empty variable names none."""
    environ = {name: value for name, value in ALL.items() if name not in without}
    if absent == "empty":
        environ |= dict.fromkeys(without, "")
    assert state_directory(environ) == directory


def test_a_relative_place_of_others_is_skipped(monkeypatch: pytest.MonkeyPatch) -> None:
    """The XDG specification demands that; the home directory then comes from the system."""
    relative = {"STATE_DIRECTORY": "var", "XDG_STATE_HOME": "xdg", "HOME": "home"}
    home = pwd.getpwuid(os.geteuid()).pw_dir
    assert state_directory(relative) == f"{home}/.local/state/csf-backup"


def test_a_relative_place_of_our_own_is_reported() -> None:
    """It would be a different directory in each working directory."""
    with pytest.raises(NoDirectory, match="CSF_BACKUP_STATE_DIR is not an absolute path: state"):
        state_directory({**ALL, "CSF_BACKUP_STATE_DIR": "state"})


@pytest.mark.parametrize("known", [True, False])
def test_a_user_without_a_home_is_told_which_variable_helps(
    monkeypatch: pytest.MonkeyPatch, *, known: bool
) -> None:
    """It does not matter whether the system knows the user."""

    class Nobody:
        pw_dir = ""

    def find(_: int) -> Nobody:
        if known:
            return Nobody()
        raise KeyError("uid not found")

    monkeypatch.setattr(pwd, "getpwuid", find)
    with pytest.raises(NoDirectory, match="CSF_BACKUP_STATE_DIR can name another directory"):
        state_directory({})


@pytest.mark.parametrize("umask", [0, 0o077])
def test_everybody_may_read_a_directory_that_is_made(tmp_path: Path, umask: int) -> None:
    """This holds for any umask; missing parents are only for their owner."""
    path = tmp_path / ".local" / "state" / "csf-backup"
    before = os.umask(umask)
    try:
        make_directory(str(path))
    finally:
        os.umask(before)
    made = (path, path.parent, path.parent.parent)
    assert [stat.S_IMODE(one.stat().st_mode) for one in made] == [0o755, 0o700, 0o700]


def test_a_directory_that_is_there_keeps_its_mode(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """This also holds for one that another command makes at the same time."""
    path = tmp_path / "state"
    path.mkdir(0o750)
    path.chmod(0o750)
    make_directory(f"{path}//")
    monkeypatch.setattr(os.path, "isdir", lambda found: found != f"{path}/")
    make_directory(str(path))
    assert stat.S_IMODE(path.stat().st_mode) == 0o750
