"""A job of a fleet: one process of csf, as plain values in and out, for any executor to run.

The machine that runs a job needs this package, and csf at the same path.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import socket
import time
from typing import TYPE_CHECKING, Any, NamedTuple

from csf_backup_plugin.hosts.local.captured import Captured
from csf_backup_plugin.hosts.protocol.values import UNKNOWN
from csf_backup_plugin.names import shown
from csf_backup_plugin.system_errors import in_words
from csf_backup_plugin.texts import from_text

if TYPE_CHECKING:
    from collections.abc import Sequence

#: Seconds that a job may take to end after it was asked to stop.
GRACE = 120.0
#: In a command line: stands for the newest proven image, which `JobSpec.newest` finds.
NEWEST = "{newest}"
#: The problem of a job that was not started, and will not be.
NOT_STARTED = "was not started: the driver was stopped"

_NO_NEWEST = "no proven image of it was found, or images of several repositories were"
_POLL = 0.2  # seconds between two checks whether it has ended or must stop
_ROOM = 1 << 26  # bytes of a document at most
_LAST = 1 << 14  # bytes at the end of standard error that are kept


class JobSpec(NamedTuple):
    """A job to run.

    Attributes:
        name: the name of the job, for messages.
        repository: the name of its section in the fleet file.
        host: the host that it works on, by the name in the fleet file.
        master: the master database there.
        words: the words of the command, after csf's name.
        lanes: the hosts and disks that it uses; see `lanes`.
        run_id: the id of the run; the same if the same job is planned again.
        limit: how long to wait for its end, in seconds.
        newest: the words of a command that is run first; its document names the image for `NEWEST`
            in `words`. Empty if none is needed.
        program: csf's path.
        environment: environment variables to set in addition to those of the executor's process.
        stop: the path of a file; the job stops when that file exists.
    """

    name: str
    repository: str
    host: str
    master: str
    words: tuple[str, ...]
    lanes: tuple[str, ...]
    run_id: str
    limit: float
    newest: tuple[str, ...] = ()
    program: str = "csf"
    environment: tuple[tuple[str, str], ...] = ()
    stop: str = ""


class JobResult(NamedTuple):
    """The result of a job.

    Attributes:
        name: the name of the job.
        exit_code: the exit code of csf; 128 plus the signal's number if a signal has ended csf;
            None if it is not known how the job ended, or whether it did.
        document: the JSON document that csf has printed; None if it has printed none.
        problem: why the exit code is not known, or why the job failed, as a sentence without its
            full stop; empty after a success.
        seconds: how long it took.
        where: the machine that ran it; empty if that is not known.
    """

    name: str
    exit_code: int | None
    document: dict[str, Any] | None
    problem: str
    seconds: float = 0.0
    where: str = ""


def run_job(spec: JobSpec) -> JobResult:
    """Run a job to its end, or until it must stop; never raise an exception.

    Args:
        spec: the job.
    """
    began = time.monotonic()
    try:
        result = _run(spec)
    except OSError as error:  # csf does not exist, or no process can be started
        result = JobResult(spec.name, None, None, f"csf cannot be run: {in_words(error)}")
    seconds = round(time.monotonic() - began, 3)
    return result._replace(seconds=seconds, where=socket.gethostname())


def _run(spec: JobSpec) -> JobResult:
    if not spec.newest:
        return _ended(spec, spec.words)
    found = _ended(spec, spec.newest)
    if image := _newest(found.document or {}, spec.master):
        return _ended(spec, [word.replace(NEWEST, image) for word in spec.words])
    if found.exit_code:
        return found
    return found._replace(exit_code=None, problem=_NO_NEWEST)


def _newest(document: dict[str, Any], master: str) -> str | None:
    """Return ``HOST:PATH`` of a repository's newest proven image in a status.

    Args:
        document: the JSON document of the status.
        master: the master database that the status was asked about. Copies of sets of another
            host's database with the same path do not count. None is returned if the database has no
            sets, or if sets of several repositories with that path were made there.
    """
    there = document.get("repositories", ())
    found = [one for one in there if from_text(one["master"]) == master]
    if not all(one["sets"] for one in found):
        return None
    own = [one for one in found if not all(made["copy_of"] for made in one["sets"])] or found
    if len(own) != 1:
        return None
    return f"{own[0]['host']}:{from_text(own[0]['sets'][0]['image'])}"


def _ended(spec: JobSpec, words: Sequence[str]) -> JobResult:
    """Run a command to its end; return its result."""
    if os.path.exists(spec.stop):
        return JobResult(spec.name, None, None, NOT_STARTED)
    program = Captured([spec.program, *words], {**os.environ, **dict(spec.environment)})
    with contextlib.closing(program):
        status, why = _status(program, spec)
        if status is None:
            where = f"process {program.pid} on {socket.gethostname()}"
            return JobResult(spec.name, None, None, f"{why}, and still runs: {where}")
        return _result(spec.name, status, program.printed(_ROOM), program.said(_LAST))


def _status(program: Captured, spec: JobSpec) -> tuple[int | None, str]:
    """Wait for a program; return its status, or None if it still runs, and why the wait ended."""
    until = time.monotonic() + spec.limit
    while (status := program.wait(0)) is None:
        if os.path.exists(spec.stop):
            program.terminate()
            return program.wait(GRACE), "was asked to stop"
        if time.monotonic() >= until:
            return None, f"had not ended after {spec.limit:g} s"
        time.sleep(_POLL)  # fewer polls than in `wait`: many jobs may be waiting
    return status, ""


def _result(name: str, status: int, printed: bytes, errors: bytes) -> JobResult:
    """Return the result of a program that has ended; its document must have the same code."""
    document = _document(printed)
    if status == UNKNOWN:
        return JobResult(name, None, document, "how it ended cannot be known")
    code = 128 - status if status < 0 else status
    if document and document.get("exit_code") == code:
        return JobResult(name, code, document, _line(_beginning(document), 0))
    if not code:
        return JobResult(name, None, document, "ended with 0, but did not print what was done")
    return JobResult(name, code, None, _line(os.fsdecode(errors), -1) or "printed nothing")


def _document(printed: bytes) -> dict[str, Any] | None:
    try:
        document = json.loads(printed)
    except ValueError:
        return None
    return document if isinstance(document, dict) else None


def _beginning(document: dict[str, Any]) -> str:
    """Return a document's error; join a first line that ends with a colon and the next one."""
    return re.sub(r":\n\s*", ": ", str(document.get("error") or ""), count=1)


def _line(text: str, at: int) -> str:
    """Return the first or the last non-empty line of a text, for a message."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return shown(lines[at]).removesuffix(".") if lines else ""
