"""A job: a process of csf, whose end is reported in plain values, and only as far as known."""

from __future__ import annotations

import os
import pickle
import signal
import socket
from typing import TYPE_CHECKING, Any

import pytest
from fleets import printing, spec
from waiting import wait_for

from csf_backup_plugin.fleet.driver import job
from csf_backup_plugin.fleet.driver.job import NEWEST, NOT_STARTED, JobSpec, run_job
from csf_backup_plugin.hosts.local.captured import Captured
from csf_backup_plugin.hosts.protocol.values import UNKNOWN

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def program(tmp_path: Path) -> Program:
    """Return a csf that a test writes."""
    return Program(tmp_path)


class Program:
    """A csf that does what the test says.

    Args:
        directory: where it is.
    """

    def __init__(self, directory: Path) -> None:
        self.path = directory / "csf"
        self.stop = directory / "stop"

    def job(self, script: str, **fields: Any) -> JobSpec:
        """Return a job whose csf is a script."""
        self.path.write_text(f"#!/bin/sh\n{script}\n")
        self.path.chmod(0o755)
        return spec("lib", program=str(self.path), stop=str(self.stop), **fields)


def test_a_job_is_reported_by_its_exit_code_and_document(program: Program) -> None:
    """Both pass through a pickle, as the job does, with names of any bytes."""
    odd = os.fsdecode(b"\xff")
    made = program.job(printing({"image": "a"}), environment=(("NAME", odd),))
    assert pickle.loads(pickle.dumps(made)) == made
    done = run_job(made)
    assert (done.name, done.exit_code, done.problem) == ("lib", 0, "")
    assert done.document == {"exit_code": 0, "image": "a"}
    assert (done.where, done.seconds > 0) == (socket.gethostname(), True)
    assert pickle.loads(pickle.dumps(done)) == done


def test_a_job_has_its_words_and_its_variables(
    program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are added to the environment."""
    monkeypatch.setenv("KEPT", "k")
    script = 'printf \'{"exit_code": 0, "said": "%s"}\' "$KEPT $GIVEN $*"'
    done = run_job(program.job(script, environment=(("GIVEN", "g"),)))
    assert done.document == {"exit_code": 0, "said": "k g rotate"}


def test_a_failure_is_reported_by_the_first_line_of_its_error(program: Program) -> None:
    """The document has the rest."""
    error = {"error": "It is \x1b[1m full.\nMore.", "left": "x"}
    done = run_job(program.job(printing(error, 11)))
    assert (done.exit_code, done.problem) == (11, "It is \\x1b[1m full")
    assert done.document == {"exit_code": 11, **error}


def test_a_line_that_introduces_the_next_one_is_reported_with_it(program: Program) -> None:
    """Alone, such as a status's first line, it would say nothing."""
    error = {"error": "Backups need attention:\n  lib has none.\n  b"}
    done = run_job(program.job(printing(error, 70)))
    assert done.problem == "Backups need attention: lib has none"


@pytest.mark.parametrize(
    ("script", "code", "problem"),
    [
        ("echo one >&2; echo 'no module.' >&2; echo >&2; exit 1", 1, "no module"),
        ("echo []; exit 5", 5, "printed nothing"),
        (printing({}).replace("exit 0", "exit 5"), 5, "printed nothing"),
        ("kill -9 $$", 137, "printed nothing"),
    ],
)
def test_a_failure_without_a_document_is_one_all_the_same(
    program: Program, script: str, code: int, problem: str
) -> None:
    """Its last line of output is the reason."""
    done = run_job(program.job(script))
    assert (done.exit_code, done.document, done.problem) == (code, None, problem)


@pytest.mark.parametrize("script", ["exit 0", "echo {}", "echo '{\"exit_code\": 5}'"])
def test_an_end_that_says_nothing_of_what_was_done_is_no_success(
    program: Program, script: str
) -> None:
    """A program without a document is no csf, or did not run to its end."""
    done = run_job(program.job(script))
    assert done.exit_code is None
    assert "did not print what was done" in done.problem


def test_an_end_that_cannot_be_known_is_reported_as_such(
    program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another part of the process may have taken the status."""
    monkeypatch.setattr(Captured, "wait", lambda *_: UNKNOWN)
    done = run_job(program.job(printing({})))
    assert (done.exit_code, done.problem) == (None, "how it ended cannot be known")


def test_a_csf_that_is_not_there_is_reported(program: Program) -> None:
    """The executor gets no exception."""
    done = run_job(program.job("exit 0")._replace(program="/no/such/csf"))
    assert done.exit_code is None
    assert done.problem == "csf cannot be run: No such file or directory: /no/such/csf"


def test_nothing_starts_once_it_is_to_stop(program: Program) -> None:
    """The executor may have kept the job waiting until then."""
    program.stop.touch()
    done = run_job(program.job(f"touch {program.path}.ran"))
    assert (done.exit_code, done.problem) == (None, NOT_STARTED)
    assert not program.path.with_suffix(".ran").exists()


STOPPABLE = 'trap \'echo "{\\"exit_code\\": 143}"; exit 143\' TERM; touch $0.stop; sleep 60 & wait'


def test_a_job_is_stopped_as_by_sigterm_alone(program: Program) -> None:
    """csf itself answers the signal, and cleans up."""
    done = run_job(program.job(STOPPABLE.replace("$0.stop", str(program.stop))))
    assert (done.exit_code, done.document) == (128 + signal.SIGTERM, {"exit_code": 143})


def test_one_that_takes_long_is_waited_for(
    program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The job looks for the request to stop before it ends."""
    go, exists, looks = program.path.with_suffix(".go"), os.path.exists, list[str]()

    def looked(path: str) -> bool:
        looks.extend([path] if path == str(program.stop) else [])
        if len(looks) > 1:  # the first one is before it starts
            go.touch()
        return exists(path)

    monkeypatch.setattr(os.path, "exists", looked)
    wait = f"until [ -e {go} ]; do sleep 0.02; done"
    done = run_job(program.job(f"{wait}\n{printing({})}"))
    assert (done.exit_code, done.problem) == (0, "")


def test_one_that_does_not_stop_is_left_and_reported(
    program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The message has its process number."""
    monkeypatch.setattr(job, "GRACE", 0.0)
    script = f"trap '' TERM; echo $$ > $0.pid; touch {program.stop}; exec sleep 60"
    done = run_job(program.job(script))
    pid = int(program.path.with_suffix(".pid").read_text())
    os.kill(pid, signal.SIGKILL)
    where = f"process {pid} on {socket.gethostname()}"
    assert done.exit_code is None
    assert done.problem == f"was asked to stop, and still runs: {where}"


def test_one_that_takes_too_long_is_left_and_reported(program: Program) -> None:
    """It is not stopped, since nobody has asked for that."""
    done = run_job(program.job("echo $$ > $0.pid; exec sleep 60")._replace(limit=0.0))
    wait_for(lambda: (path := program.path.with_suffix(".pid")).exists() and path.read_text())
    os.kill(int(program.path.with_suffix(".pid").read_text()), signal.SIGKILL)
    assert done.exit_code is None
    assert done.problem.startswith("had not ended after 0 s, and still runs: process ")


def repository(master: str, *images: str, copy_of: str | None = None) -> dict[str, Any]:
    """Return a repository of a status."""
    sets = [{"image": image, "copy_of": copy_of} for image in images]
    return {"host": "db1", "master": master, "sets": sets}


def needing(program: Program, status: str) -> JobSpec:
    """Return a job that needs the newest image, which a script reports."""
    copy = f'printf %s "$*" > $0.said\n{printing({})}'
    made = program.job(f'if [ "$1" = status ]; then\n{status}\nfi\n{copy}')
    return made._replace(newest=("status",), words=("copy", "-image-file", NEWEST))


def test_the_newest_image_is_looked_for_first(program: Program) -> None:
    """A status finds it, whatever its verdict; names are as in documents."""
    other, copies = repository("/r/other.db", "/b/9"), repository("/r/lib.db", "/9", copy_of="x:/9")
    found = repository("/r/lib.db", "/b/\\xff 2", "/b/1")
    status = printing({"repositories": [other, copies, found]}, 70)
    done = run_job(needing(program, status))
    assert done.exit_code == 0
    said = program.path.with_suffix(".said").read_bytes()
    assert said == b"copy -image-file db1:/b/\xff 2"


def test_a_copy_may_be_the_newest_image_that_is_left(program: Program) -> None:
    """It was copied back after its original was lost."""
    found = repository("/r/lib.db", "/b/1", copy_of="db2:/c/1")
    assert run_job(needing(program, printing({"repositories": [found]}))).exit_code == 0
    assert program.path.with_suffix(".said").read_bytes() == b"copy -image-file db1:/b/1"


@pytest.mark.parametrize(
    ("status", "code", "problem"),
    [
        (printing({"error": "No host."}, 30), 30, "No host"),
        (
            printing({"repositories": [repository("/r/lib.db", "/1"), repository("/r/lib.db")]}),
            None,
            "no proven image of it was found",
        ),
        (printing({"repositories": []}), None, "no proven image of it was found"),
        (
            printing(
                {"repositories": [repository("/r/lib.db", "/1"), repository("/r/lib.db", "/2")]}
            ),
            None,
            "or images of several repositories",
        ),
    ],
)
def test_without_a_newest_image_nothing_is_done(
    program: Program, status: str, code: int | None, problem: str
) -> None:
    """The message has the reason; if there are several, none is chosen."""
    done = run_job(needing(program, status))
    assert done.exit_code == code
    assert problem in done.problem
