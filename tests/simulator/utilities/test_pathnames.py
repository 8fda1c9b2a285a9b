"""Database pathnames."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from csf_simulator.program.errors import UtilityError
from csf_simulator.utilities.pathnames import local_path


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("/a/b.db", "/a/b.db"),
        ("/a//b/../c.db/", "/a/c.db"),
        ("/a: b/c:/d.db", "/a: b/c:/d.db"),
        ("./host:/a", "{here}/host:/a"),
        ("a.db", "{here}/a.db"),
        ("localhost:/a.db", "/a.db"),
        (f"{os.uname().nodename}:/a.db", "/a.db"),
        ("/caf\udce9", "/caf\udce9"),
    ],
)
def test_path_is_absolute(
    name: str, path: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name is a path of this machine, and this machine's name before it changes nothing."""
    monkeypatch.chdir(tmp_path)
    assert local_path(name) == path.format(here=tmp_path)


@pytest.mark.parametrize(
    ("name", "message"),
    [("h::/a.db", "rawfs"), ("h::a", "rawfs"), ("elsewhere:/a.db", "this host"), ("/a\0b", "null")],
)
def test_what_is_not_simulated_is_refused(name: str, message: str) -> None:
    """A rawfs database, another host's, or an impossible name is an error."""
    with pytest.raises(UtilityError, match=message) as caught:
        local_path(name)
    assert caught.value.name == "err_database_not_found"
