"""Which output of utilities counts, on a machine that prints other things, too."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from sites import Site

LOCALE = "sh: warning: setlocale: LC_ALL: cannot change locale (de_DE): No such file: /usr/lib/x"


def replaced(site: Site, directory: Path, name: str, script: str) -> dict[str, str]:
    """Return an environment in which a utility is a script; its $real is the simulator's."""
    real, program = os.path.join(site.sim.home.bin, name), directory / name
    program.write_text(f"#!/bin/sh\nreal={real}\n{script}\n")
    program.chmod(0o755)
    return {f"CSF_BACKUP_{name.upper()}": str(program)}


def test_what_is_said_on_standard_error_spoils_no_image(site: Site, tmp_path: Path) -> None:
    """A shell's warning about the locale, with a path at its end, has no effect."""
    script = f'echo "{LOCALE}" >&2; exec $real "$@"'
    noisy = replaced(site, tmp_path, "osrestore", script)
    result = site.backup(**noisy)
    assert result.exit_code == 0, result.stderr
    assert site.on_image("admin_database_verify", **noisy).exit_code == 0
    assert site.restore("-yes", **noisy).exit_code == 0


@pytest.mark.parametrize(
    "form", [r"s,^,db1:,", r's,.*,"&".,', r"s,$, 452 sectors,", r"s/$/, level 0./", r"s,$,.,"]
)
def test_a_good_image_is_good_in_whatever_form_its_list_is(
    site: Site, tmp_path: Path, form: str
) -> None:
    """A good image passes, and a bad one fails."""
    script = f'[ "$1" = -t ] || exec $real "$@"\n$real "$@" | sed \'{form}\''
    other = replaced(site, tmp_path, "osrestore", script)
    result = site.backup(**other)
    assert result.exit_code == 0, result.stderr
    assert site.on_image("admin_database_verify", **other).exit_code == 0
    without = replaced(site, tmp_path, "osrestore", f"{script} | grep -v Class1")
    result = site.on_image("admin_database_verify", **without)
    assert result.exit_code == 50
    assert "missing from the image: " in result.stderr
    assert "Class2" not in result.stderr


def test_a_list_that_cannot_be_read_is_shown(site: Site, tmp_path: Path) -> None:
    """It is not reported as a missing database, and standard error is shown separately."""
    script = '[ "$1" = -t ] || exec $real "$@"\necho master; echo Class1; echo oops >&2'
    odd = replaced(site, tmp_path, "osrestore", script)
    result = site.backup(**odd)
    assert result.exit_code == 41
    assert "names no database: it begins:\n    master\n    Class1" in result.stderr
    assert "said on standard error:\n    oops" in result.stderr
    assert "missing" not in result.stderr
    assert os.listdir(site.images) == []


@pytest.mark.parametrize("script", ["yes /r/x.db", "yes please enter >&2", "yes | tr -d '\\n'"])
def test_an_osrestore_that_prints_without_end_is_stopped(
    site: Site, tmp_path: Path, script: str
) -> None:
    """The image is not proven."""
    endless = replaced(site, tmp_path, "osrestore", script)
    result = site.backup(**endless)
    assert result.exit_code == 41
    assert "it did not stop printing, and was stopped" in result.stderr
    assert os.listdir(site.images) == []


@pytest.mark.parametrize("stream", [1, 2])
def test_a_fault_that_osverifydb_names_fails_a_drill(
    site: Site, tmp_path: Path, stream: int
) -> None:
    """The drill fails although osverifydb's exit status is 0."""
    assert site.backup().exit_code == 0
    script = f'$real "$@" && echo "Pointer to deleted storage" >&{stream}; seq 100'
    words = replaced(site, tmp_path, "osverifydb", script)
    (tmp_path / "scratch").mkdir()
    options = ("-scratch-dir", str(tmp_path / "scratch"))
    result = site.on_image("admin_database_drill", *options, **words)
    assert result.exit_code == 50
    assert result.stderr.count("exit 0, and printed: Pointer to deleted storage") == 4
    assert site.on_image("admin_database_drill", *options).exit_code == 0
