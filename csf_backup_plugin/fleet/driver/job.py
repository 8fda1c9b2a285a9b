"""A job of a fleet: one process of csf, as plain values in and out, for any executor to run.

Whoever runs it needs this package, and csf at the same path; nothing else of the driver.
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
from csf_backup_plugin.hosts.protocol import UNKNOWN
from csf_backup_plugin.names import shown
from csf_backup_plugin.system_errors import in_words
from csf_backup_plugin.texts import from_text

if TYPE_CHECKING:
    from collections.abc import Sequence

#: Seconds that a job may take to end once it has been asked to.
GRACE = 120.0
#: In a command line: the newest proven image, which the command `JobSpec.newest` tells.
NEWEST = "{newest}"
#: What is said of a job that has not begun, and will not.
NOT_STARTED = "was not started: the driver was stopped"

_NO_NEWEST = "no proven image of it was found, or those of several repositories"
_POLL = 0.2  # seconds between two looks whether it has ended, or is to stop
_ROOM = 1 << 26  # bytes of a document
_LAST = 1 << 14  # bytes of standard error that are kept


class JobSpec(NamedTuple):
    """What is to be run.

    Attributes:
        name: of the job, told to people.
        repository: the name of its section in the fleet file.
        host: that it works on, as the fleet file names it.
        master: the master database there.
        words: the command behind csf's name.
        lanes: what it takes a share of; see `lanes`.
        run_id: the same each time that the same is asked for.
        limit: the seconds after which it is waited for no longer.
        newest: likewise a command whose document names the image that `NEWEST` stands for in
            `words`; empty for none.
        program: csf's path.
        environment: variables that are set besides those of whoever runs it.
        stop: the path of a file; the job is stopped once that exists.
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
    """What has come of a job.

    Attributes:
        name: the job's.
        exit_code: csf's; 128 and the signal's number where one has ended it; None if it is not
            known how the job ended, or whether it did.
        document: what csf has printed; None if that was no document.
        problem: in a sentence without its full stop, why the exit code is not known, or what is
            known of a failure; empty for what is done.
        seconds: that it took.
        where: on which machine it was run; empty if that is not known.
    """

    name: str
    exit_code: int | None
    document: dict[str, Any] | None
    problem: str
    seconds: float = 0.0
    where: str = ""


def run_job(spec: JobSpec) -> JobResult:
    """Run a job to its end, or until it is to stop; nothing of it raises an exception.

    Args:
        spec: the job.
    """
    began = time.monotonic()
    try:
        result = _run(spec)
    except OSError as error:  # csf is not there, or this machine has no process left
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
    """Return ``HOST:PATH`` of a repository's newest proven image that a status tells of.

    Args:
        document: of the status.
        master: the master database, as the status was asked. One of that path on another host may
            have copies of its sets there: those are not meant. If sets of several repositories
            have been made there, or the status says that the one it was asked about has none, it
            is not known which are meant.
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
    """Run a command to its end; return how that was."""
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
    """Wait for a program; return how it ended, or None, and why it is waited for no longer."""
    until = time.monotonic() + spec.limit
    while (status := program.wait(0)) is None:
        if os.path.exists(spec.stop):
            program.terminate()
            return program.wait(GRACE), "was asked to stop"
        if time.monotonic() >= until:
            return None, f"had not ended after {spec.limit:g} s"
        time.sleep(_POLL)  # one look a time: many jobs may be waited for
    return status, ""


def _result(name: str, status: int, printed: bytes, said: bytes) -> JobResult:
    """Return what a program's end means; what it has printed must agree."""
    document = _document(printed)
    if status == UNKNOWN:
        return JobResult(name, None, document, "how it ended cannot be known")
    code = 128 - status if status < 0 else status
    if document and document.get("exit_code") == code:
        return JobResult(name, code, document, _line(_beginning(document), 0))
    if not code:
        return JobResult(name, None, document, "ended with 0, and has not printed what was done")
    return JobResult(name, code, None, _line(os.fsdecode(said), -1) or "has said nothing")


def _document(printed: bytes) -> dict[str, Any] | None:
    try:
        document = json.loads(printed)
    except ValueError:
        return None
    return document if isinstance(document, dict) else None


def _beginning(document: dict[str, Any]) -> str:
    """Return a document's error; a line that only introduces the next one has that behind it."""
    return re.sub(r":\n\s*", ": ", str(document.get("error") or ""), count=1)


def _line(text: str, at: int) -> str:
    """Return the first or the last line of a text that is not empty, fit for a message."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return shown(lines[at]).removesuffix(".") if lines else ""
