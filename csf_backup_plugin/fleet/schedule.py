"""The schedules of a fleet: one for a host itself, or one for a control host of all hosts."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING

from csf_backup_plugin.command_names import FLEET, STATUS
from csf_backup_plugin.errors import UsageError
from csf_backup_plugin.fleet.rotation import rotation_of
from csf_backup_plugin.fleet.values import nearest
from csf_backup_plugin.names import shown
from csf_backup_plugin.operations.schedule import Planned, planned, when, written
from csf_backup_plugin.operations.schedule.lines import PART, QUIET
from csf_backup_plugin.operations.schedule.naming import digest_of, name_of
from csf_backup_plugin.operations.schedule.request import EVERY, ScheduleRequest
from csf_backup_plugin.operations.schedule.timetable import (
    STATUS_AFTER,
    VERIFY_AFTER,
    Job,
    Timetable,
)
from csf_backup_plugin.operations.status.health import spoken

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from csf_backup_plugin.fleet.file import Fleet
    from csf_backup_plugin.fleet.repository import FleetRepository
    from csf_backup_plugin.hosts.protocol.host import Host
    from csf_backup_plugin.operations.schedule import Schedule
    from csf_backup_plugin.operations.schedule.surroundings import Surroundings
    from csf_backup_plugin.progress_listener import Listener

_HERE = "localhost"
# Hours from the rotation to the copies: by then, sets have been made and verified.
_COPY_AFTER = 4


def of_host(fleet: Fleet, name: str) -> Fleet:
    """Return a fleet with only the repositories of one host.

    Args:
        fleet: the fleet.
        name: the host's name in the file.

    Raises:
        UsageError: no repository is on that host.
    """
    hosts = {one.host: None for one in fleet.repositories}
    if name not in hosts:
        raise UsageError(
            f"{shown(fleet.path)} has no repository on {shown(name)}.",
            nearest(name, hosts, f"Its hosts are {', '.join(hosts)}."),
        )
    return replace(fleet, repositories=tuple(one for one in fleet.repositories if one.host == name))


def schedule_here(
    fleet: Fleet, form: str, host: Host, here: Surroundings, listener: Listener
) -> Schedule:
    """Return the schedule of this host: for each repository, the jobs of a schedule of its own.

    Args:
        fleet: the repositories, all of this host.
        form: the form, as in `ScheduleRequest`.
        host: this machine.
        here: the surroundings of csf, in which the schedule runs, too.
        listener: gets a note if a path resolves to another one.

    Raises:
        RepositoryNotFound: there is no such master database.
        UsageError: the schedule cannot be written in this form.
    """
    found: list[Planned] = []
    read: list[Sequence[str]] = []  # verifications so far; repositories may share a directory
    for one in fleet.repositories:
        made = planned(_request(one, form), host, here, listener)
        verify = [job for job in made.plan.verify if job.words not in read]
        read += [job.words for job in verify]
        copy = _command(fleet, [one.name], "copy") if one.copy_to else None
        jobs = [Job(copy, made.plan.rotate.at.later(_COPY_AFTER))] if copy else []
        plan = made.plan._replace(verify=verify, copy=jobs)
        warnings = [f"[{shown(one.name)}] {text}" for text in (*made.warnings, *_too_rare(one))]
        found.append(made._replace(plan=plan, warnings=warnings))
    return written(found, form, here)


def schedule_of_control_host(
    fleet: Fleet, names: Sequence[str], form: str, at: tuple[int, int] | None, here: Surroundings
) -> Schedule:
    """Return the schedule of a host that drives all others; connect to none of them.

    Args:
        fleet: the repositories.
        names: the chosen repositories; empty for all in the file, including those added later.
        form: the form, as in `ScheduleRequest`.
        at: hour and minute of the rotations; None for a time that csf chooses.
        here: the surroundings of csf, in which the schedule runs, too.

    Raises:
        UsageError: the schedule cannot be written in this form.
    """
    path = os.path.abspath(fleet.path)
    digest = digest_of(path, here.machine)
    begin = when.Time(*at) if at else when.chosen(digest)
    copies = any(one.copy_to for one in fleet.repositories)
    copy = [Job(_command(fleet, names, "copy"), begin.later(_COPY_AFTER))] if copies else []
    plan = Timetable(
        name_of(path, digest),
        Job(_command(fleet, names, "rotate"), begin),
        Job([STATUS, *_which(fleet, names), QUIET], begin.later(STATUS_AFTER)),
        [Job(_command(fleet, names, "verify", *PART), begin.later(VERIFY_AFTER))],
        copy,
    )
    warnings = [f"[{shown(r.name)}] {text}" for r in fleet.repositories for text in _warnings(r)]
    return written([Planned(plan, [*when.warnings(begin), *warnings])], form, here)


def _warnings(one: FleetRepository) -> Iterator[str]:
    yield from _too_rare(one)
    if one.at is not None:
        yield "`at` is for a schedule on its host alone: from here, all begin at one time"


def _too_rare(one: FleetRepository) -> Iterator[str]:
    if one.every is not None and one.every < EVERY:
        yield f"a set is promised each {spoken(one.every)}, and the schedule makes one each day"


def _command(fleet: Fleet, names: Sequence[str], action: str, *options: str) -> list[str]:
    return [FLEET, *_which(fleet, names), QUIET, action, *options]


def _which(fleet: Fleet, names: Sequence[str]) -> list[str]:
    only = [word for name in names for word in ("-only", name)]
    return ["-fleet", os.path.abspath(fleet.path), *only]


def _request(one: FleetRepository, form: str) -> ScheduleRequest:
    """Return the request for a repository's schedule on its own host."""
    return ScheduleRequest(
        rotation_of(one, _HERE),
        form,
        one.at,
        one.strict,
        one.max_age,
        one.max_drill_age,
        one.environment,
    )
