"""Plan the jobs of a fleet: the command, the lanes and the id of each."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from csf_backup_plugin.command_names import ROTATE
from csf_backup_plugin.errors import UsageError
from csf_backup_plugin.fleet.driver.commands import ACTIONS, commands
from csf_backup_plugin.fleet.driver.job import JobSpec
from csf_backup_plugin.fleet.driver.lanes import disk_lane, host_lane
from csf_backup_plugin.fleet.driver.run_ids import run_id, slot_of
from csf_backup_plugin.names import shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from csf_backup_plugin.fleet.driver.commands import Command
    from csf_backup_plugin.fleet.driver.request import FleetRequest
    from csf_backup_plugin.fleet.repository import FleetRepository

_JSON = "-json"


def hosts_of(repositories: Iterable[FleetRepository]) -> list[str]:
    """Return every host that a repository's jobs work on, each once."""
    named = (top.host for one in repositories for top in (*one.image_dirs, *one.copy_to))
    return list(dict.fromkeys(named))


def plan(
    request: FleetRequest,
    repositories: Sequence[FleetRepository],
    machines: Mapping[str, str],
    csf: str,
    variables: Mapping[str, str],
) -> list[JobSpec]:
    """Return the jobs.

    Args:
        request: the command's validated options.
        repositories: the repositories in the order of their jobs.
        machines: by host, a name of its machine that is the same for all names of one machine.
        csf: the absolute path of csf.
        variables: the environment variables of all jobs.

    Raises:
        UsageError: the file lacks a value that the action needs, or has nothing to do for the
            action.
    """
    made = [
        _spec(request, one, command, machines)._replace(
            program=csf, environment=tuple({**variables, **dict(one.environment)}.items())
        )
        for one in repositories
        for command in commands(request.action, one, request.given)
    ]
    _check_names(made)
    if not made:
        raise UsageError(
            f"There is nothing to {request.action}: no repository has copy-to in "
            f"{shown(request.fleet.path)}.",
            "Add copy-to = HOST:DIR to the section of each repository that is to be copied.",
        )
    return made


def _check_names(made: Sequence[JobSpec]) -> None:
    """Refuse two jobs with the same name, since results are known by the name."""
    sections: dict[str, str] = {}
    for spec in made:
        if spec.name in sections:
            raise UsageError(
                f"[{shown(sections[spec.name])}] and [{shown(spec.repository)}] both have a job "
                f"that is called {shown(spec.name)!r}.",
                "Give one of the two sections another name.",
            )
        sections[spec.name] = spec.repository


def _spec(
    request: FleetRequest, one: FleetRepository, command: Command, machines: Mapping[str, str]
) -> JobSpec:
    name = f"{one.name} {command.about}" if command.about else one.name
    slot = request.slot or slot_of(request.now, one.every)
    identity = run_id(os.path.abspath(request.fleet.path), name, request.action, slot)
    own = ["-run-id", identity] if ACTIONS[request.action] == ROTATE else []
    return JobSpec(
        name,
        one.name,
        one.host,
        one.repository.master,
        (*command.words, *own, _JSON),
        _lanes(command, machines),
        identity,
        request.limit,
        (*command.newest, _JSON) if command.newest else (),
    )


def _lanes(command: Command, machines: Mapping[str, str]) -> tuple[str, ...]:
    """Return the lanes of the hosts and disks that a command uses, each once."""
    hosts = (host_lane(machines[top.host]) for top in command.directories)
    disks = (disk_lane(machines[top.host], top.directory) for top in command.directories)
    return tuple(dict.fromkeys((*hosts, *disks)))
