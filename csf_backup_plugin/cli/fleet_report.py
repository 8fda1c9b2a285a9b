"""Sentences and facts about a fleet's jobs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from csf_backup_plugin.cli.human_sizes import counted
from csf_backup_plugin.cli.outcome import Outcome
from csf_backup_plugin.exit_codes import ExitCode
from csf_backup_plugin.fleet.driver.verdict import problem
from csf_backup_plugin.names import shown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from csf_backup_plugin.errors import BackupError
    from csf_backup_plugin.fleet.driver import Driven
    from csf_backup_plugin.fleet.driver.job import JobResult, JobSpec


def outcome(driven: Driven) -> Outcome:
    """Return the outcome of a fleet's jobs."""
    found = problem(driven)
    return Outcome(tuple(_sentences(driven, found)), _document(driven), found)


def _sentences(driven: Driven, found: BackupError | None) -> Iterator[str]:
    yield from (f"warning: {warning}" for warning in driven.warnings)
    for spec, result in driven.jobs:
        yield from (f"warning: {_about(spec)}: {text}" for text in _warnings(result))
    for spec, result in driven.jobs:
        if result.exit_code != ExitCode.DONE:
            yield _line(spec, result)
    done = sum(result.exit_code == ExitCode.DONE for _, result in driven.jobs)
    jobs = counted(len(driven.jobs), "job")
    yield f"{driven.request.action}: {done:,} of {jobs} done in {driven.seconds:.1f} s"
    if found:
        yield f"Error: {found}"


def _line(spec: JobSpec, result: JobResult) -> str:
    if result.exit_code is None:
        return f"not known: {_about(spec)}: {result.problem}"
    return f"failed with {result.exit_code}: {_about(spec)}: {result.problem}"


def _about(spec: JobSpec) -> str:
    return f"{shown(spec.name)} on {spec.host}"


def _warnings(result: JobResult) -> list[str]:
    """Return the warnings in a job's document; the fleet command prints them for the job."""
    return [shown(text) for text in (result.document or {}).get("warnings", ())]


def _document(driven: Driven) -> dict[str, Any]:
    """Return the facts about the jobs for the JSON document."""
    results = [result for _, result in driven.jobs]
    unknown = sum(one.exit_code is None for one in results)
    done = sum(one.exit_code == ExitCode.DONE for one in results)
    return {
        "fleet": driven.request.fleet.path,
        "action": driven.request.action,
        "jobs": [_job(spec, result) for spec, result in driven.jobs],
        "done": done,
        "failed": len(results) - done - unknown,
        "unknown": unknown,
        "warnings": list(driven.warnings),
        "seconds": round(driven.seconds, 3),
    }


def _job(spec: JobSpec, result: JobResult) -> dict[str, Any]:
    return {
        "name": spec.name,
        "repository": spec.repository,
        "host": spec.host,
        "master": spec.master,
        "run_id": spec.run_id,
        "exit_code": result.exit_code,
        "why": result.problem,
        "seconds": result.seconds,
        "ran_on": result.where or None,
        "outcome": result.document,
    }
