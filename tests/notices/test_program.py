"""The program in CSF_BACKUP_ON_FINISH is informed of each end, and changes none."""

from __future__ import annotations

import json
import os
import signal
from typing import TYPE_CHECKING, Any

import pytest

from csf_backup_plugin.cancellation import Cancellation, deferred_signals
from csf_backup_plugin.hookspecs import Outcome
from csf_backup_plugin.notices import program

if TYPE_CHECKING:
    from pathlib import Path

DONE = Outcome(
    attempt="ab12",
    driver="db9",
    command="csf-backup",
    run_id="night1",
    host="localhost",
    image="localhost:/backup/a.img",
    image_dirs=("localhost:/backup",),
    database="/data/lib.db",
    exit_code=0,
    outcome="done",
    seconds=1.5,
    bytes=4096,
    repository_id="0" * 32,
    place="monday",
    number=7,
    drilled=None,
    warnings=0,
    error=None,
)
NOTE = 'cat > "$0.stdin"; env > "$0.environment"; pwd > "$0.directory"'


class Program:
    """A program in a test's directory.

    Args:
        directory: where it is to be.
    """

    def __init__(self, directory: Path) -> None:
        self.path = directory / "told"
        self._cancellation = Cancellation()

    def call(
        self, script: str, outcome: Outcome = DONE, cancellation: Cancellation | None = None
    ) -> list[str]:
        """Make the program from a script, and call it; return the warnings."""
        self.path.write_text(f"#!/bin/sh\n{script}\n")
        self.path.chmod(0o755)
        return self.named(str(self.path), outcome, cancellation)

    def named(
        self, path: str, outcome: Outcome = DONE, cancellation: Cancellation | None = None
    ) -> list[str]:
        """Call the program with that name; return the warnings."""
        warnings = list[str]()
        environ = {**os.environ, program.VARIABLE: path}
        program.call_program(outcome, environ, cancellation or self._cancellation, warnings.append)
        return warnings

    def read(self) -> dict[str, Any]:
        """Return the document that it got."""
        found: dict[str, Any] = json.loads(self.path.with_suffix(".stdin").read_text())
        return found

    def environment(self) -> dict[str, str]:
        """Return its environment without values of several lines."""
        lines = self.path.with_suffix(".environment").read_text().splitlines()
        return dict(line.split("=", 1) for line in lines if "=" in line)


@pytest.fixture
def told(tmp_path: Path) -> Program:
    """Return a program that does not exist yet."""
    return Program(tmp_path)


def test_a_program_reads_one_document(told: Program) -> None:
    """The document has the outcome's keys, in one line."""
    assert told.call(NOTE) == []
    outcome = {**DONE._asdict(), "image_dirs": ["localhost:/backup"]}
    assert told.read() == {"schema": "csf-backup/finished/1", **outcome}
    assert told.path.with_suffix(".stdin").read_text().count("\n") == 1


def test_a_shell_need_not_read_it(told: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    """The most important values are in the environment; a csf run by it does not call it again."""
    monkeypatch.setenv("CSF_BACKUP_STATE_DIR", "/var/lib/csf")
    assert told.call(NOTE) == []
    found = {name: word for name, word in told.environment().items() if "CSF_BACKUP_" in name}
    assert found == {
        "CSF_BACKUP_EXIT_CODE": "0",
        "CSF_BACKUP_OUTCOME": "done",
        "CSF_BACKUP_RUN_ID": "night1",
        "CSF_BACKUP_STATE_DIR": "/var/lib/csf",
    }


def test_what_is_not_known_is_empty(told: Program) -> None:
    """The variable is set, since `set -u` needs that."""
    killed = DONE._replace(exit_code=None, outcome="killed", run_id=None)
    assert told.call(NOTE, killed) == []
    assert (told.read()["exit_code"], told.read()["outcome"]) == (None, "killed")
    environment = told.environment()
    assert (environment["CSF_BACKUP_EXIT_CODE"], environment["CSF_BACKUP_RUN_ID"]) == ("", "")


def test_names_are_bytes(told: Program) -> None:
    """They are as in every document."""
    odd = DONE._replace(image=os.fsdecode(b"db9:/a\xff"), error="half: \ud800", database="\\xff")
    assert told.call(NOTE, odd) == []
    read = told.read()
    assert (read["image"], read["error"]) == ("db9:/a\\xff", "half: \\ud800")
    assert read["database"] == "\\x5cxff"


@pytest.mark.parametrize("path", ["", "told", "./told", "~/told"])
def test_a_relative_path_is_a_warning(
    told: Program, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    """Nothing is run; an empty value means no program."""
    told.call(NOTE)
    told.path.with_suffix(".stdin").unlink()
    monkeypatch.chdir(tmp_path)
    warning = f"CSF_BACKUP_ON_FINISH is not an absolute path, and no program was called: {path}"
    assert told.named(path) == ([warning] if path else [])
    assert not told.path.with_suffix(".stdin").exists()


def test_a_program_that_is_missing_is_a_warning(told: Program) -> None:
    """It has the name and the reason."""
    why = "cannot be run (No such file or directory)"
    assert told.named("/no/such\x1bprogram") == [
        f"the program that CSF_BACKUP_ON_FINISH names {why}: /no/such\\x1bprogram"
    ]


def test_what_no_environment_holds_is_a_warning(told: Program) -> None:
    """Nobody types half a character."""
    (warning,) = told.call(NOTE, DONE._replace(run_id="\ud800"))
    assert "cannot be run (" in warning


@pytest.mark.parametrize(("script", "status"), [("exit 3", "3"), ("kill -9 $$", "-9")])
def test_a_program_that_fails_is_a_warning(told: Program, script: str, status: str) -> None:
    """The warning has the status."""
    (warning,) = told.call(script)
    assert f"failed with exit status {status}: {told.path}" in warning


def test_a_program_that_takes_too_long_is_stopped(
    told: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There is a warning."""
    assert program.LIMIT == 60
    monkeypatch.setattr(program, "LIMIT", 0.2)
    (warning,) = told.call("exec sleep 100")
    assert "had not ended after 0.2 s and was stopped" in warning


def test_a_signal_that_came_before_ends_no_program(told: Program) -> None:
    """That signal has stopped the attempt, which must be reported."""
    cancellation = Cancellation()
    cancellation.cancel(signal.SIGTERM)
    assert told.call(NOTE, DONE, cancellation) == []
    assert told.read()["attempt"] == "ab12"


@pytest.mark.parametrize("before", [False, True])
def test_a_signal_that_comes_meanwhile_ends_the_program(told: Program, *, before: bool) -> None:
    """It may be the first or a second signal."""
    with deferred_signals("It") as cancellation:
        if before:
            cancellation.cancel(signal.SIGINT)
        (warning,) = told.call(f"kill -TERM {os.getpid()}; exec sleep 100", DONE, cancellation)
    assert "was stopped by signal 15" in warning
