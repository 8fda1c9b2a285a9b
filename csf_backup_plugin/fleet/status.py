"""The status of a fleet; hosts are asked in parallel, with one login for each."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from csf_backup_plugin.names import shown
from csf_backup_plugin.operations.status import attempts_and_warnings, joined, look_at
from csf_backup_plugin.operations.status.findings import GRACE
from csf_backup_plugin.operations.status.health import Health
from csf_backup_plugin.operations.status.request import Expected, StatusRequest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from contextlib import AbstractContextManager

    from csf_backup_plugin.attempts.reading import Attempts
    from csf_backup_plugin.errors import BackupError
    from csf_backup_plugin.fleet.file import Fleet
    from csf_backup_plugin.fleet.repository import FleetRepository
    from csf_backup_plugin.hosts.protocol.host import Host
    from csf_backup_plugin.image.path import ImagePath
    from csf_backup_plugin.operations.status import Status

#: How many hosts are asked at once, at most: an sshd, for example on a jump host, drops logins if
#: more than ten are being authenticated (sshd_config(5), MaxStartups).
AT_ONCE = 8

FAULT, UNREACHED, STALE, OK = "fault", "unreached", "stale", "ok"
#: The states, the worst first, in the order in which they decide the exit code.
STATES = (FAULT, UNREACHED, STALE, OK)


class Row(NamedTuple):
    """A repository of the fleet.

    Attributes:
        name: the name of its section.
        host: its host, by the name in the file.
        master: its master database, as in the file.
        health: its health; None if its host could not be reached.
        problem: why the host could not be reached; None if it could.
    """

    name: str
    host: str
    master: str
    health: Health | None = None
    problem: BackupError | None = None

    @property
    def state(self) -> str:
        """One of `STATES`."""
        if self.health is None:
            return UNREACHED
        return (FAULT, STALE, OK)[self.health.rank]


class FleetStatus(NamedTuple):
    """The status of a fleet.

    Attributes:
        path: the fleet file.
        rows: its repositories, the worst first, then in the order of the file; each section has at
            least one row.
        status: the same repositories, as a status of several hosts.
    """

    path: str
    rows: Sequence[Row]
    status: Status


def look_at_fleet(
    fleet: Fleet,
    chosen: Fleet,
    request: StatusRequest,
    on: Callable[[str], AbstractContextManager[Host]],
    read_ledger: Callable[[], Attempts],
    at_once: int = AT_ONCE,
) -> FleetStatus:
    """Return the status of repositories of a fleet.

    Args:
        fleet: the whole fleet; so the sets of repositories that were not chosen are recognized.
        chosen: the repositories that the status is about.
        request: the request for these, as `request_of` returns it.
        on: connects to a host by name for a block, with a time limit; called in several threads.
        read_ledger: returns the attempts in this machine's ledger.
        at_once: how many hosts are asked at once.
    """
    attempts, warnings = attempts_and_warnings(read_ledger)
    with ThreadPoolExecutor(at_once) as pool:
        asked = [
            pool.submit(look_at, host, one, on, attempts)
            for host, one in _by_host(fleet, request).items()
        ]
    found = joined([one.result() for one in asked], warnings)
    by_name: dict[str, list[Health]] = {}
    for health in found.repositories:
        by_name.setdefault(health.name, []).append(health)
    away = {one.host: one.problem for one in found.unreached}
    rows = [
        row
        for one in chosen.repositories
        for row in _rows(one, by_name.get(one.name, []), away.get(one.host))
    ]
    status = found._replace(
        repositories=[row.health for row in rows if row.health],
        warnings=[*warnings, *_without_section(by_name.get("", []), fleet)],
    )
    return FleetStatus(fleet.path, sorted(rows, key=lambda row: STATES.index(row.state)), status)


def request_of(
    chosen: Fleet, max_age: float | None = None, max_drill_age: float | None = None
) -> StatusRequest:
    """Return the request for the status of a fleet.

    Args:
        chosen: the fleet, or a part of it.
        max_age: how old each newest set may be, in seconds; None for the ages in the file.
        max_drill_age: how old each last good drill may be, in seconds; None for the ages in the
            file, 0 for any age.
    """
    return StatusRequest(
        tuple(dict.fromkeys(top for one in chosen.repositories for top in one.image_dirs)),
        tuple((one.host, one.repository) for one in chosen.repositories),
        max_age,
        max_drill_age,
        {(one.host, one.repository): _expected(one) for one in chosen.repositories},
    )


def _by_host(fleet: Fleet, request: StatusRequest) -> dict[str, StatusRequest]:
    """Return the request for each host; it names the host's other repositories, too."""
    named: dict[str, list[FleetRepository]] = {}
    for one in fleet.repositories:
        named.setdefault(one.host, []).append(one)
    tops: dict[str, list[ImagePath]] = {}
    for top in request.tops:
        tops.setdefault(top.host, []).append(top)
    return {
        host: replace(
            request_of(replace(fleet, repositories=tuple(named[host]))),
            tops=tuple(own),
            max_age=request.max_age,
            max_drill_age=request.max_drill_age,
        )
        for host, own in tops.items()
    }


def _expected(one: FleetRepository) -> Expected:
    age, drill_age = one.max_age, one.max_drill_age
    if age is None and one.every:
        age = one.every * GRACE
    if drill_age is None and one.drill_every:
        drill_age = one.drill_every * GRACE
    return Expected(one.name, one.image_dirs, age, drill_age)


def _rows(
    one: FleetRepository, healths: Sequence[Health], problem: BackupError | None
) -> Iterator[Row]:
    """Yield the row of a section; several rows if images of several repositories may be its own."""
    row = Row(one.name, one.host, one.repository.master)
    if problem:
        yield row._replace(problem=problem)
    elif healths:
        yield from (row._replace(health=health) for health in healths)
    else:
        yield row._replace(health=_same_database(one))


def _same_database(one: FleetRepository) -> Health:
    """Return the health of a section whose database is that of another section, by a link."""
    text = f"{shown(one.database)} is the database of another section, too, by a link"
    return Health(None, one.host, "", one.repository.master, (), (text,), name=one.name)


def _without_section(healths: Sequence[Health], fleet: Fleet) -> Iterator[str]:
    """Yield a warning about each repository that has images other than copies, but no section."""
    for one in healths:
        if not one.sets or any(each.copied is None for each in one.sets):
            yield (
                f"there are images of {shown(one.master)} on {one.host}, which no section of "
                f"{shown(fleet.path)} names"
            )
