"""Judge the health of each repository from a survey of its host."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from csf_backup_plugin import timestamps
from csf_backup_plugin.command_names import BACKUP, ROTATE
from csf_backup_plugin.image.by_repository import by_repository, highest, newest_first
from csf_backup_plugin.names import is_inside, shown
from csf_backup_plugin.objectstore.room_and_time import space_needed
from csf_backup_plugin.operations.status import findings
from csf_backup_plugin.operations.status.health import Health, SetState, is_of_the_future

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from csf_backup_plugin.attempts.reading import Attempt
    from csf_backup_plugin.hosts.protocol.values import Facts
    from csf_backup_plugin.image.catalog import ImageSet
    from csf_backup_plugin.operations.status.request import Expected, StatusRequest
    from csf_backup_plugin.operations.status.survey import Survey
    from csf_backup_plugin.repository.model import Repository

#: The limits without an option, a fleet file or a promise, in seconds.
MAX_AGE, MAX_DRILL_AGE = 30 * 3600.0, 30 * 86400.0


def judge(
    request: StatusRequest, found: Survey, attempts: Sequence[Attempt] | None
) -> list[Health]:
    """Return the health of each repository on a host.

    Args:
        request: how old sets and drills may be.
        found: the survey of the host.
        attempts: the attempts in this machine's ledger; None if there is no ledger.
    """
    by_key = by_repository(found.catalog.sets)
    groups = [_health(sets, request, found) for sets in by_key.values()]
    groups += _without_a_newest({one.master for one in groups}, found)
    for repository in found.databases:
        if not any(_may_be(one.master, one.id, repository, found) for one in groups):
            groups.append(_without_sets(repository.master, found))
    groups = [_as_expected(one, _expected(one.master, one.id, found), found) for one in groups]
    if attempts is None:
        return groups
    return [_with_attempts(one, _attempts_of(one, attempts), found) for one in groups]


def _with_attempts(one: Health, attempts: Sequence[Attempt], found: Survey) -> Health:
    one = one._replace(attempts=attempts)
    if one.sets and is_of_the_future(one.sets[0]):  # that is reported as a fault already
        return one
    return one._replace(stale=(*one.stale, *findings.of_the_future(attempts, found)))


def _attempts_of(one: Health, attempts: Sequence[Attempt]) -> list[Attempt]:
    """Return the attempts of a repository, by its id; by its path where an attempt has no id."""
    return [
        attempt
        for attempt in attempts
        if attempt.command in (BACKUP, ROTATE)
        and (
            attempt.repository_id == one.id
            if attempt.repository_id
            else (attempt.host, attempt.database) == (one.host, one.master)
        )
    ]


def _health(sets: Sequence[ImageSet], request: StatusRequest, found: Survey) -> Health:
    newest = highest(sets)
    origin, master = newest.receipt.origin, newest.receipt.master
    promise = found.promises.get(str(origin.id), {})
    expected = _expected(master, origin.id, found)
    asked = request.of(expected)
    limits, own = _limits(asked, promise), _own_directories(promise, expected, found)
    health = Health(
        origin.id,
        found.host,
        origin.machine,
        master,
        tuple(_state(one, found) for one in newest_first(sets)),
        leftovers=sum(
            not (one.has_receipt or one.is_copy) and one.master == master
            for one in found.catalog.skipped
        ),
        room=_room(newest, own),
        free={directory: at.free for directory, at in own.items()},
        needed=space_needed(newest.receipt.size),
        limits=limits,
        due=_due(promise, found),
        interval=promise.get("every_seconds"),
    )
    coverage, drift = findings.coverage(newest, found)
    return health._replace(
        faults=tuple(findings.faults(health, sets, found)),
        stale=(*findings.stale(health, sets, found), *findings.unknown(health, asked, found)),
        notes=(
            *findings.suspicious(newest, health),
            *findings.notes(health, request, expected, found),
            *drift,
        ),
        coverage=coverage,
    )


def _without_a_newest(known: Collection[str], found: Survey) -> Iterator[Health]:
    """Yield the repositories that have images, but no set that could be the newest.

    The receipts of these images cannot be used, or have no backup number.
    """
    masters: dict[str, list[list[str]]] = {}
    for over in found.catalog.skipped:
        if over.has_receipt and over.master:
            masters.setdefault(over.master, [[], []])[0].append(str(over))
    for one in found.catalog.sets:
        if one.receipt.origin.number is None:
            why = f"{one.image} has no backup number, so whether it is the newest is not known"
            masters.setdefault(one.receipt.master, [[], []])[1].append(why)
    for master, (faults, stale) in masters.items():
        if master not in known:
            yield _without_sets(master, found, faults, stale)


def _may_be(master: str, id_: str | None, repository: Repository, found: Survey) -> bool:
    """Return whether images are of a repository: its path must fit, and its id if it is known."""
    at = found.databases[repository]
    identity = at.recorded.identity if not isinstance(at, str) and at.recorded else None
    return master == repository.master and (identity is None or id_ in (None, identity.id))


def _expected(master: str, id_: str | None, found: Survey) -> Expected | None:
    """Return a fleet file's expectations of a repository that has images."""
    named = found.expected.items()
    return next((one for asked, one in named if _may_be(master, id_, asked, found)), None)


def _as_expected(one: Health, expected: Expected | None, found: Survey) -> Health:
    """Return the health with the name in the fleet file; unreadable directories make it stale."""
    if expected is None:
        return one
    own = [top.directory for top in expected.tops]
    unread = [
        text
        for top, text in found.unread.items()
        if any(is_inside(top.directory, directory) for directory in own)
    ]
    return one._replace(name=expected.name, stale=(*one.stale, *unread))


def _without_sets(
    master: str, found: Survey, faults: Sequence[str] = (), stale: Sequence[str] = ()
) -> Health:
    text = f"{shown(master)} on {found.host} has no proven image in these directories"
    return Health(
        None,
        found.host,
        found.machine.name,
        master,
        (),
        faults=tuple(faults),
        stale=tuple(stale) or (text,) * (not faults),
    )


def _limits(
    request: StatusRequest, promise: Mapping[str, Any]
) -> tuple[float | None, float | None]:
    """Return how old the newest set and the last good drill may be.

    Limits in the request come first, then those of the promise, then the defaults.
    """
    every, drill_every = promise.get("every_seconds"), promise.get("drill_every_seconds")
    age = request.max_age or (every * findings.GRACE if every else MAX_AGE)
    if request.max_drill_age == 0:
        return age, None
    return age, request.max_drill_age or (
        drill_every * findings.GRACE if drill_every else MAX_DRILL_AGE
    )


def _state(one: ImageSet, found: Survey) -> SetState:
    receipt, checks = one.receipt, found.checks[one.image]
    drilled = checks.drilled
    faults = []
    at = found.catalog.entries.get(one.image.path)
    if at is None:
        faults.append(f"{one.image} is missing, and its receipt is there")
    elif at.size != receipt.size:
        faults.append(f"{one.image} holds {at.size:,} bytes; its receipt says {receipt.size:,}")
    for check, what in ((checks.verified, "verification"), (checks.drilled, "drill")):
        if check and not check.is_sound:
            faults.append(f"the last {what} of {one.image} failed, at {check.at}")
    if drilled and drilled.is_sound and timestamps.is_future(drilled.at, found.machine.now):
        drilled = None  # it would count as recent until that time
    return SetState(
        one.image,
        receipt.placement.place if receipt.placement else "",
        receipt.origin.number,
        receipt.started,
        timestamps.between(receipt.started, found.machine.now),
        receipt.size,
        len(receipt.databases),
        checks.verified,
        drilled,
        tuple(faults),
        receipt.copied.image if receipt.copied else None,
    )


def _own_directories(
    promise: Mapping[str, Any], expected: Expected | None, found: Survey
) -> dict[str, Facts]:
    """Return the image directories of a repository; all of them if they are not known.

    They are known from the fleet file, or from a promise. The disks of other repositories do not
    count.
    """
    if expected:
        return {top.directory: at for top, at in found.at.items() if top in expected.tops}
    every = {top.directory: at for top, at in found.at.items()}
    promised = promise.get("image_directories", ())
    own = {directory: at for directory, at in every.items() if at.resolved in promised}
    return own or every


def _room(newest: ImageSet, own: Mapping[str, Facts]) -> dict[str, int]:
    """Return how many more sets fit into each image directory, counted as in the preflight."""
    size = max(newest.receipt.size, 1)
    reserve = space_needed(size) - size
    return {directory: max(0, at.free - reserve) // size for directory, at in own.items()}


def _due(promise: Mapping[str, Any], found: Survey) -> str | None:
    """Return when the next set is promised; ignore a promise that is dated in the future."""
    if not promise or timestamps.is_future(promise["started"], found.machine.now):
        return None
    due: str = promise["due"]
    return due
