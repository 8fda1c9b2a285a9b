"""The error of a fleet command, from the results of its jobs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from csf_backup_plugin.advised_commands import fleet_status_command
from csf_backup_plugin.errors import FleetFailed, Interrupted
from csf_backup_plugin.exit_codes import ExitCode
from csf_backup_plugin.fleet.driver.job import NOT_STARTED

if TYPE_CHECKING:
    from csf_backup_plugin.errors import BackupError
    from csf_backup_plugin.fleet.driver import Driven
    from csf_backup_plugin.fleet.driver.job import JobResult


def problem(driven: Driven) -> BackupError | None:
    """Return the error with which a fleet command ends; None if all jobs were done.

    Its exit code is that of the jobs that were not done if they all have the same code, else 80. A
    job with an unknown exit code counts as one with 1.
    """
    failed = [result for _, result in driven.jobs if result.exit_code != ExitCode.DONE]
    if driven.stopped:
        return _stopped(driven, driven.stopped)
    if not failed:
        return None
    action, known = driven.request.action, fleet_status_command(driven.request.fleet.path)
    error = FleetFailed(
        f"Jobs that were not done: {len(failed):,} of {len(driven.jobs):,} ({action}).",
        f"Run the same command again; -only NAME runs one alone, and -json has the whole "
        f"message of each. What is proven now: {known}",
        left=_left(driven),
    )
    codes = {_code(result) for result in failed}
    if len(codes) == 1:
        error.exit_code = codes.pop()
    return error


def _stopped(driven: Driven, error: Interrupted) -> Interrupted:
    error.left = _left(driven)
    error.next_step += f" What is proven now: {fleet_status_command(driven.request.fleet.path)}"
    return error


def _code(result: JobResult) -> int:
    return ExitCode.UNEXPECTED if result.exit_code is None else result.exit_code


def _left(driven: Driven) -> str:
    """Return how many jobs were done, were not started, and may still run."""
    results = [result for _, result in driven.jobs]
    done = sum(one.exit_code == ExitCode.DONE for one in results)
    untouched = sum(one.problem == NOT_STARTED for one in results)
    unknown = sum(one.exit_code is None for one in results) - untouched
    counts = [f"{done:,} done"]
    counts += [f"{untouched:,} not started"] if untouched else []
    counts += [f"{unknown:,} not known, which may still run"] if unknown else []
    return f"Of all {len(results):,} jobs: {', '.join(counts)}."
