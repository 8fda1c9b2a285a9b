"""Where the utilities are searched for, and in which order."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from csf_backup_plugin.errors import UtilityMissing
from csf_backup_plugin.hosts.local.find_utility import find

if TYPE_CHECKING:
    from pathlib import Path

VARIABLE = "CSF_BACKUP_OSBACKUP"


@pytest.fixture
def places(tmp_path: Path) -> dict[str, str]:
    """Return an environment that names osbackup in three ways."""
    for directory in ("own", "root/bin", "path"):
        program = tmp_path / directory / "osbackup"
        program.parent.mkdir(parents=True)
        program.touch(mode=0o755)
    return {
        VARIABLE: str(tmp_path / "own/osbackup"),
        "OS_ROOTDIR": str(tmp_path / "root"),
        "PATH": str(tmp_path / "path"),
    }


def looked_up(environ: dict[str, str]) -> str:
    """Find osbackup on host db1."""
    return find("osbackup", VARIABLE, environ, "db1")


def test_the_variable_comes_first_then_os_rootdir_then_the_path(
    places: dict[str, str], tmp_path: Path
) -> None:
    """The most specific place comes first."""
    assert looked_up(places) == f"{tmp_path}/own/osbackup"
    del places[VARIABLE]
    assert looked_up(places) == f"{tmp_path}/root/bin/osbackup"
    del places["OS_ROOTDIR"]
    assert looked_up(places) == f"{tmp_path}/path/osbackup"


def test_an_os_rootdir_without_the_program_leaves_the_path(
    places: dict[str, str], tmp_path: Path
) -> None:
    """A client installation may have only some of the utilities."""
    assert looked_up({**places, VARIABLE: "", "OS_ROOTDIR": "/none"}) == f"{tmp_path}/path/osbackup"


def test_a_variable_that_names_no_program_is_refused_and_not_skipped(
    places: dict[str, str],
) -> None:
    """A backup with a program other than the named one would be a surprise."""
    with pytest.raises(UtilityMissing, match=f"{VARIABLE} = /none .not an executable"):
        looked_up({**places, VARIABLE: "/none"})


def test_a_failure_lists_where_it_looked_on_which_host() -> None:
    """It also says which variable to set."""
    with pytest.raises(UtilityMissing) as caught:
        looked_up({"OS_ROOTDIR": "/os", "PATH": "/bin:/none"})
    assert caught.value.what == (
        "osbackup was not found on db1. Looked at: $CSF_BACKUP_OSBACKUP is not set; "
        "$OS_ROOTDIR/bin = /os/bin; $PATH = /bin:/none."
    )
    with pytest.raises(UtilityMissing, match="OS_ROOTDIR is not set"):
        looked_up({"PATH": "/none"})


def test_a_relative_place_is_meant_where_csf_was_started(
    places: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A utility runs in another working directory."""
    monkeypatch.chdir(tmp_path)
    for name, value in (("PATH", "path"), ("OS_ROOTDIR", "root"), (VARIABLE, "own/osbackup")):
        places = {name: value}
        found = looked_up(places)
        assert os.path.isabs(found)
        assert os.access(found, os.X_OK)
