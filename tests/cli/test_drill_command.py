"""admin_database_drill as csf runs it: exit codes, sentences, JSON."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import pytest

from csf_backup_plugin.exit_codes import ExitCode

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Place, Tools

    Csf = Callable[..., tuple[int, str, str]]

OSRESTORE = """
[ "$1" = -t ] && exec tar -tP --quoting-style=literal -f "$3"
exec tar -xP -f "$2" --transform "s:^$3:$4:" 2>&1
"""


@pytest.fixture
def drill(csf: Csf, place: Place, tools: Tools, tmp_path: Path) -> Csf:
    """Return a function that runs the command on an existing image."""
    tools.write("osrestore", OSRESTORE)
    tools.write("osverifydb", "exit 0")
    image = ("-image-file", f"localhost:{place.image}")
    assert csf("admin_database_backup", "-database", place.master, *image)[0] == 0
    (tmp_path / "scratch").mkdir()
    scratch = ("-scratch-dir", str(tmp_path / "scratch"))
    return lambda *options: csf("admin_database_drill", *image, *scratch, *options)


def test_a_drill_that_goes_well_is_one_line(drill: Csf, place: Place) -> None:
    """The line has what was restored, how it was checked, and the path of the record."""
    code, out, err = drill()
    (line,) = err.splitlines()
    assert (code, out) == (ExitCode.DONE, "")
    assert line.startswith(f"Restored localhost:{place.image} for trial: 2 databases (1.3 kB) of ")
    assert line.endswith(f"osverifydb found all sound; recorded in {place.image}.drill.json")


def test_without_osverifydb_the_line_says_so(drill: Csf, tools: Tools) -> None:
    """There is a warning before it."""
    (tools.directory / "osverifydb").unlink()
    warning, line = drill()[2].splitlines()
    assert warning.startswith("warning: osverifydb was not found")
    assert "not checked by osverifydb" in line


def test_json_is_one_document(drill: Csf, place: Place, tmp_path: Path) -> None:
    """Nothing else is printed."""
    code, out, err = drill("-json")
    document = json.loads(out)
    assert (code, err) == (0, "")
    assert document["command"] == "admin_database_drill"
    assert document["record"] == f"{place.image}.drill.json"
    assert document["scratch_dir"] == str(tmp_path / "scratch")
    assert (document["databases"], document["database_bytes"]) == (2, 1300)
    assert document["findings"] == []
    with open(document["record"]) as file:
        record = json.load(file)
    assert (document["repository_id"], document["number"]) == (record["repository_id"], 1)


def test_the_repository_may_be_named(drill: Csf, place: Place) -> None:
    """An image of another repository is refused; an invalid path is a usage error."""
    assert drill("-database", place.master)[0] == ExitCode.DONE
    other = str(place.images / "lib.db")
    code, _, err = drill("-database", other)
    assert (code, f"{other} is another repository" in err) == (13, True)
    assert drill("-database", "lib.db")[0] == ExitCode.USAGE


def test_findings_are_in_the_document(drill: Csf, tools: Tools) -> None:
    """The exit code is 50."""
    tools.write("osrestore", "exit 9")
    code, out, _ = drill("-json")
    document = json.loads(out)
    assert code == document["exit_code"] == ExitCode.FAULT_FOUND
    assert document["findings"] == ["osrestore failed: exit 9, and printed nothing."]


def test_a_directory_that_is_none_is_a_usage_error(csf: Csf) -> None:
    """The message has an example."""
    image = ("-image-file", "localhost:/b/a.img")
    code, _, err = csf("admin_database_drill", *image, "-scratch-dir", "x")
    assert (code, "/var/tmp" in err) == (ExitCode.USAGE, True)
    assert not os.path.exists("x")
