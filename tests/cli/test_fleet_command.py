"""admin_database_fleet as csf runs it: its command line, and its messages about jobs."""

from __future__ import annotations

import json
import os
import signal
import sys
from typing import TYPE_CHECKING

import pytest
from fleets import printing, written

from csf_backup_plugin.exit_codes import ExitCode
from csf_backup_plugin.fleet.driver import loop

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Tools

    Csf = Callable[..., tuple[int, str, str]]

NAME = "admin_database_fleet"


class Bench:
    """A fleet of two repositories, whose jobs do what the test says.

    Args:
        csf: what runs the command.
        tools: where the jobs' csf is.
        path: the fleet file.
    """

    def __init__(self, csf: Csf, tools: Tools, path: Path) -> None:
        self._csf, self._tools, self.path = csf, tools, path
        self.log = tools.directory / "csf.log"
        sections = {
            name: {"database": f"localhost:/r/{name}.db", "image-dirs": f"/b/{name}"}
            for name in ("lib", "shop")
        }
        written(path, sections)

    def run(self, lib: str, shop: str, *words: str) -> tuple[int, str, str]:
        """Run the fleet with a script as each job; return exit code and output."""
        script = f'#!/bin/sh\necho "$@" >> $0.log\nif [ "$3" = /r/lib.db ]; then\n{lib}\nfi\n{shop}'
        self._tools.write("csf", script)
        return self._csf(NAME, "-fleet", str(self.path), *words)

    def calls(self) -> list[str]:
        """Return the command line of each job."""
        return sorted(self.log.read_text().splitlines()) if self.log.exists() else []


@pytest.fixture
def fleet(csf: Csf, tools: Tools, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    """Return a fleet; its csf is the program that was called."""
    monkeypatch.setattr(sys, "argv", [str(tools.directory / "csf")])
    monkeypatch.setenv("CSF_BACKUP_STATE_DIR", str(tmp_path / "state"))
    return Bench(csf, tools, tmp_path / "fleet")


DONE = printing({})


def failing(code: int, error: str) -> str:
    """Return a script for a job that fails."""
    return printing({"error": error}, code)


def test_the_warnings_of_jobs_are_reported(fleet: Bench) -> None:
    """-quiet prints them, too, and so do jobs that succeeded."""
    warned = printing({"warnings": ["it is on the same disk"]})
    code, _, err = fleet.run(warned, DONE, "-quiet", "rotate")
    assert code == 0
    assert err.startswith("warning: lib on localhost: it is on the same disk\nrotate: 2 of 2 jobs ")


def test_every_repository_has_its_job(fleet: Bench, tmp_path: Path) -> None:
    """Each gets the options after the action; the driver's ledger has no entry."""
    code, out, err = fleet.run(DONE, DONE, "rotate", "-strict")
    assert (code, out) == (0, "")
    assert err.startswith("rotate: 2 of 2 jobs done in ")
    first, second = fleet.calls()
    assert first.startswith("admin_database_rotate -database /r/lib.db -image-dir localhost:/b/lib")
    assert " -strict -run-id " in first
    assert first.endswith(" -json")
    assert "/r/shop.db" in second
    assert not (tmp_path / "state").exists()


def test_quiet_prints_nothing_where_all_was_done(fleet: Bench) -> None:
    """This is for cron."""
    assert fleet.run(DONE, DONE, "-quiet", "verify") == (0, "", "")


def test_a_failure_is_one_line(fleet: Bench) -> None:
    """The exit code is the job's; what is proven now must be asked of another command."""
    code, out, err = fleet.run(failing(11, "It is full."), DONE, "-quiet", "rotate")
    assert (code, out) == (11, "")
    line, counts, problem, left, next_step = err.splitlines()
    assert line == "failed with 11: lib on localhost: It is full"
    assert counts.startswith("rotate: 1 of 2 jobs done in ")
    assert problem == "Error: Jobs that were not done: 1 of 2 (rotate)."
    assert left == "Of all 2 jobs: 1 done."
    assert next_step.endswith(f"csf admin_database_status -fleet {fleet.path}")


def test_failures_that_differ_have_a_code_of_their_own(fleet: Bench) -> None:
    """The document has the code of each job."""
    code, out, _ = fleet.run(failing(11, "Full."), failing(40, "Failed."), "-json", "rotate")
    document = json.loads(out)
    assert code == document["exit_code"] == ExitCode.FLEET
    assert [(one["name"], one["exit_code"]) for one in document["jobs"]] == [
        *(("lib", 11), ("shop", 40)),
    ]
    assert document["jobs"][0]["outcome"] == {"exit_code": 11, "error": "Full."}
    assert (document["done"], document["failed"], document["unknown"]) == (0, 2, 0)
    assert document["error"] == "Jobs that were not done: 2 of 2 (rotate)."


def test_a_job_of_which_nothing_is_known_is_reported(fleet: Bench) -> None:
    """It counts as not done."""
    code, _, err = fleet.run("exit 0", DONE, "rotate")
    assert code == ExitCode.UNEXPECTED
    assert "not known: lib on localhost: ended with 0, but did not print what was done" in err


def test_one_repository_of_the_fleet(fleet: Bench) -> None:
    """No jobs are started for the others."""
    assert fleet.run(DONE, DONE, "-only", "shop", "rotate")[0] == 0
    (call,) = fleet.calls()
    assert "/r/shop.db" in call


def test_an_executor_that_cannot_be_closed_is_a_warning(
    fleet: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Everything was done before."""
    (tmp_path / "stuck_executor.py").write_text(
        "from concurrent.futures import ThreadPoolExecutor\n"
        "class Stuck(ThreadPoolExecutor):\n"
        "    def shutdown(self, *words, **more):\n"
        "        super().shutdown(*words, **more)\n"
        "        raise RuntimeError('stuck')\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    code, _, err = fleet.run(DONE, DONE, "-executor", "stuck_executor:Stuck", "rotate")
    assert code == 0
    assert "warning: the executor cannot be closed: RuntimeError: stuck" in err
    monkeypatch.delitem(sys.modules, "stuck_executor")


def test_an_executor_that_never_ends_keeps_no_command(
    fleet: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Python would wait for its threads, and cron sends its mail when the process ends."""
    (tmp_path / "lost_executor.py").write_text(
        "from concurrent.futures import Executor, Future\n"
        "class Lost(Executor):\n"
        "    def submit(self, *words, **more):\n"
        "        return Future()\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(loop, "MARGIN", 0.0)
    monkeypatch.setattr("os._exit", sys.exit)
    words = ("-executor", "lost_executor:Lost", "-give-up", "1s")
    code, _, err = fleet.run(DONE, DONE, *words, "rotate")
    assert code == ExitCode.UNEXPECTED
    assert err.count("it is not known whether it ran, or still runs") == 2
    monkeypatch.setattr("os._exit", lambda _code: pytest.fail("all has ended"))
    assert fleet.run(DONE, DONE, "rotate")[0] == 0
    monkeypatch.delitem(sys.modules, "lost_executor")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ([], "Missing argument: one of rotate, verify, drill, copy."),
        (["-only"], "requires an argument"),
        (["-only", "-quiet", "rotate"], "looks like an option"),
        (["turn"], "belongs to no option, and is not one of rotate, verify, drill, copy: turn"),
        (["-jbos", "3", "rotate"], "No such option"),
        (["-jobs", "0", "rotate"], "Invalid value for '-jobs'"),
        (["-only", "shp", "rotate"], "has no section [shp]"),
        (["rotate", "-strickt"], "The job lib cannot be run: No such option"),
        (["rotate", "-wait", "soon"], "The job lib cannot be run: Invalid value for '-wait'"),
        (["rotate", "more"], "The job lib cannot be run: Got an argument that belongs to no"),
        (["rotate", "-json"], "-json cannot be given after rotate"),
        (["drill"], "[lib] has no scratch-dir"),
        (["-executor", "nowhere:make", "rotate"], "cannot be imported: ModuleNotFoundError"),
    ],
)
def test_a_wrong_command_line_starts_nothing(fleet: Bench, words: list[str], told: str) -> None:
    """The error may be in the fleet's part or in the job's part."""
    code, out, err = fleet.run(DONE, DONE, *words)
    assert (code, out) == (ExitCode.USAGE, "")
    assert told in err
    assert fleet.calls() == []


def test_the_help_of_an_action_is_that_of_its_command(fleet: Bench) -> None:
    """It does not matter where -help stands."""
    code, out, _ = fleet.run(DONE, DONE, "rotate", "-strict", "-help")
    assert code == 0
    assert out.startswith("Usage: csf admin_database_rotate ")
    code, out, _ = fleet.run(DONE, DONE, "-help")
    assert "rotate|verify|drill|copy [OPTIONS OF EACH JOB]" in " ".join(out.split())


def test_a_signal_stops_the_jobs_and_counts(fleet: Bench) -> None:
    """Each has ended as if it had got the signal itself."""
    script = f"kill -TERM {os.getpid()}\nsleep 60 & wait"
    code, out, err = fleet.run(f"trap 'exit 143' TERM\n{script}", DONE, "-jobs", "1", "rotate")
    assert (code, out) == (128 + signal.SIGTERM, "")
    assert "failed with 143: lib on localhost: printed nothing" in err
    assert "not known: shop on localhost: was not started: the driver was stopped" in err
    assert "Error: csf admin_database_fleet rotate was stopped by SIGTERM." in err
    assert "Of all 2 jobs: 0 done, 1 not started." in err
