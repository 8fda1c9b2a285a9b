"""Run one action for every repository of a fleet; each job is a process of csf."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from csf_backup_plugin.attempts.directory import NoDirectory, state_directory
from csf_backup_plugin.errors import Interrupted
from csf_backup_plugin.fleet.driver.commands import ACTIONS
from csf_backup_plugin.fleet.driver.executor import close, executor_of
from csf_backup_plugin.fleet.driver.loop import Driver
from csf_backup_plugin.fleet.driver.order import longest_waiting_first
from csf_backup_plugin.fleet.driver.plan import hosts_of, plan
from csf_backup_plugin.hosts.connect import machine_of
from csf_backup_plugin.hosts.ssh import login_slots
from csf_backup_plugin.operations.schedule.surroundings import program, variables

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from csf_backup_plugin.cancellation import Cancellation
    from csf_backup_plugin.fleet.driver.job import JobResult, JobSpec
    from csf_backup_plugin.fleet.driver.loop import Watcher
    from csf_backup_plugin.fleet.driver.request import FleetRequest


_LOGINS = "logins"


class Driven(NamedTuple):
    """The results of a fleet's jobs.

    Attributes:
        request: the command's validated options.
        jobs: each job with its result, in the order of the plan.
        seconds: how long it took.
        stopped: the signal that stopped the jobs, as an error; None if there was none.
        warnings: what else the user should know.
        is_any_lost: whether the executor has not returned the result of a job; its threads may
            never end.
    """

    request: FleetRequest
    jobs: Sequence[tuple[JobSpec, JobResult]]
    seconds: float
    stopped: Interrupted | None = None
    warnings: tuple[str, ...] = ()
    is_any_lost: bool = False


def planned(
    request: FleetRequest, called: str, environ: Mapping[str, str], cancellation: Cancellation
) -> list[JobSpec]:
    """Return the jobs of a fleet, the longest waiting first; connect to no host.

    Args:
        request: the command's validated options.
        called: how csf was called, by a path or a name.
        environ: the environment.
        cancellation: the cancellation of the command.

    Raises:
        UsageError: the file does not have what the action needs, or csf cannot be found.
        Interrupted: a signal came.
    """
    repositories = request.fleet.repositories
    machines = {host: machine_of(host, environ, cancellation) for host in hosts_of(repositories)}
    ordered = longest_waiting_first(repositories, ACTIONS[request.action], environ)
    given = {**variables(environ), **_login_slots(environ)}
    return plan(request, ordered, machines, program(called, environ), given)


def drive(
    request: FleetRequest, specs: Sequence[JobSpec], watcher: Watcher, cancellation: Cancellation
) -> Driven:
    """Run jobs until all have ended or a signal comes.

    Args:
        request: the command's validated options.
        specs: the jobs.
        watcher: gets the state of the jobs, again and again.
        cancellation: the cancellation of the command.

    Raises:
        UsageError: the executor cannot be made.
        OSError: a temporary directory cannot be created on this machine.
    """
    began = time.monotonic()
    executor = executor_of(request.executor, request.jobs)
    directory = Path(tempfile.mkdtemp(prefix="csf-fleet-"))
    driver = Driver(specs, request.jobs, executor, watcher, cancellation, directory)
    results = {one.name: one for one in driver.run()}
    problem = close(executor, wait=not driver.is_any_lost)
    if not driver.is_any_lost:  # else a job that begins late must find the stop file
        shutil.rmtree(directory, ignore_errors=True)
    return Driven(
        request,
        [(spec, results[spec.name]) for spec in specs],
        time.monotonic() - began,
        _signal(cancellation),
        (problem,) if problem else (),
        driver.is_any_lost,
    )


def _login_slots(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the variable by which jobs share logins, also with the jobs of other drivers."""
    try:
        return {login_slots.VARIABLE: os.path.join(state_directory(environ), _LOGINS)}
    except NoDirectory:  # each job warns about that, since it has no ledger
        return {}


def _signal(cancellation: Cancellation) -> Interrupted | None:
    try:
        cancellation.check_start()
    except Interrupted as error:
        return error
    return None
