"""What a survey means for each repository: what is wrong, and what is late."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING, Any, NamedTuple

from csf_backup_plugin import timestamps
from csf_backup_plugin.attempts.outcomes import DONE
from csf_backup_plugin.command_names import BACKUP, ROTATE
from csf_backup_plugin.image.by_repository import by_repository, highest, newest_first, twins
from csf_backup_plugin.names import listed, shown

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from csf_backup_plugin.attempts.reading import Attempt
    from csf_backup_plugin.image.catalog import ImageSet
    from csf_backup_plugin.image.check_record import Check
    from csf_backup_plugin.image.path import ImagePath
    from csf_backup_plugin.operations.status.request import StatusRequest
    from csf_backup_plugin.operations.status.survey import Survey
    from csf_backup_plugin.repository.model import Repository

#: What holds where neither an option nor a promise says, in seconds.
MAX_AGE, MAX_DRILL_AGE = 30 * 3600.0, 30 * 86400.0
#: How much later than promised a set may be: a run takes time, and a clock changes twice a year.
_GRACE = 1.25
_ROOM_FOR = 3  # more sets


class SetState(NamedTuple):
    """One proven set.

    Attributes:
        image: which.
        place: where a rotation has put it; empty for one that no rotation has made.
        number: of the backup; None where it is not known.
        started: when its backup began, in ISO 8601.
        age: the seconds since.
        size: the image's bytes, as the receipt says.
        databases: how many are in it.
        verified, drilled: how that went last; None if never.
        faults: what is wrong with it.
    """

    image: ImagePath
    place: str
    number: int | None
    started: str
    age: float
    size: int
    databases: int
    verified: Check | None
    drilled: Check | None
    faults: tuple[str, ...]


class Health(NamedTuple):
    """What is known of one repository.

    Attributes:
        id: its own; None where it has none.
        host: where its images are.
        machine: what that calls itself.
        master: its master database.
        sets: its proven sets, the newest first.
        faults: what is wrong with what is kept: exit code 50.
        stale: what is late, or never was: exit code 70.
        notes: what the user may want to know besides.
        leftovers: how many sets without a receipt may be its own.
        room: how many more sets of the newest one's size fit into each image directory.
        limits: how old set and drill may be, in seconds; None for any age.
        due: when the next set is promised, in ISO 8601; None where nothing is promised.
        interval: how often one is, in seconds; None likewise.
        coverage: how many databases there are on disk; None where that was not asked.
        attempts: of backups and rotations of it, in the order in which they began; None where no
            ledger tells.
    """

    id: str | None
    host: str
    machine: str
    master: str
    sets: Sequence[SetState]
    faults: Sequence[str] = ()
    stale: Sequence[str] = ()
    notes: Sequence[str] = ()
    leftovers: int = 0
    room: Mapping[str, int] = {}
    limits: tuple[float | None, float | None] = (None, None)
    due: str | None = None
    interval: float | None = None
    coverage: int | None = None
    attempts: Sequence[Attempt] | None = None

    @property
    def last_attempt(self) -> Attempt | None:
        """The last attempt to make a set."""
        return self.attempts[-1] if self.attempts else None

    @property
    def last_success(self) -> Attempt | None:
        """The last attempt that has made one."""
        made = [one for one in self.attempts or () if one.outcome == DONE]
        return made[-1] if made else None

    @property
    def rank(self) -> int:
        """How bad it is: 0 is the worst."""
        return 0 if self.faults else 1 if self.stale else 2

    @property
    def last_drill(self) -> Check | None:
        """The last good drill of any of its sets."""
        sound = [one.drilled for one in self.sets if one.drilled and one.drilled.is_sound]
        return max(sound, key=lambda check: check.at, default=None)


def judge(
    request: StatusRequest, found: Survey, attempts: Sequence[Attempt] | None
) -> list[Health]:
    """Return the health of each repository on a host.

    Args:
        request: how old sets and drills may be.
        found: what there is.
        attempts: what the ledger of this machine tells; None where there is none.
    """
    by_key = by_repository(found.catalog.sets)
    groups = [_health(sets, request, found) for sets in by_key.values()]
    groups += _without_a_newest({one.master for one in groups}, found)
    for repository in found.databases:
        if not any(_may_be(one, repository, found) for one in groups):
            groups.append(_without_sets(repository.master, found))
    if attempts is None:
        return groups
    return [one._replace(attempts=_attempts_of(one, attempts)) for one in groups]


def _attempts_of(one: Health, attempts: Sequence[Attempt]) -> list[Attempt]:
    """Return the attempts of a repository, by its id, or by its path where that is not known."""
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
    limits = _limits(request, promise)
    health = Health(
        origin.id,
        found.host,
        origin.machine,
        master,
        tuple(_state(one, found) for one in newest_first(sets)),
        leftovers=sum(
            not one.has_receipt and one.master == master for one in found.catalog.passed_over
        ),
        room=_room(newest, found),
        limits=limits,
        due=promise.get("due"),
        interval=promise.get("every_seconds"),
    )
    coverage, drift = _coverage(newest, found)
    return health._replace(
        faults=tuple(_faults(health, sets, found)),
        stale=(*_stale(health, found), *_unknown(health, request, found)),
        notes=(*_suspicious(newest, health), *_notes(health, request, found), *drift),
        coverage=coverage,
    )


def _without_a_newest(known: Collection[str], found: Survey) -> Iterator[Health]:
    """Yield the repositories of which images are there, and no set that could be the newest.

    Their receipts cannot be used, or tell no backup's number.
    """
    masters: dict[str, list[list[str]]] = {}
    for over in found.catalog.passed_over:
        if over.has_receipt and over.master:
            masters.setdefault(over.master, [[], []])[0].append(str(over))
    for one in found.catalog.sets:
        if one.receipt.origin.number is None:
            why = f"{one.image} has no backup's number, so nobody knows whether it is the newest"
            masters.setdefault(one.receipt.master, [[], []])[1].append(why)
    for master, (faults, stale) in masters.items():
        if master not in known:
            yield _without_sets(master, found, faults, stale)


def _may_be(one: Health, repository: Repository, found: Survey) -> bool:
    """Tell whether images are of a repository: of its path, and its id as far as that is known."""
    at = found.databases[repository]
    identity = at.recorded.identity if not isinstance(at, str) and at.recorded else None
    return one.master == repository.master and (
        identity is None or one.id is None or one.id == identity.id
    )


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
    """Return how old the newest set and the last good drill may be: option, promise, default."""
    every, drill_every = promise.get("every_seconds"), promise.get("drill_every_seconds")
    age = request.max_age or (every * _GRACE if every else MAX_AGE)
    if request.max_drill_age == 0:
        return age, None
    return age, request.max_drill_age or (drill_every * _GRACE if drill_every else MAX_DRILL_AGE)


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
        drilled = None  # else it would be a good one for as long as the clock was wrong by
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
    )


def _room(newest: ImageSet, found: Survey) -> dict[str, int]:
    """Return how many more sets fit into each image directory."""
    size = max(newest.receipt.size, 1)
    return {top.directory: free // size for top, free in found.free.items()}


def _faults(health: Health, sets: Sequence[ImageSet], found: Survey) -> Iterator[str]:
    newest = highest(sets)
    yield from health.sets[0].faults
    if timestamps.is_future(newest.receipt.started, found.machine.now):
        started = newest.receipt.started
        yield f"{newest.image} says that its backup began in the future, at {started}"
    for one in twins(sets):
        number = newest.receipt.origin.number
        yield f"{one.image} and {newest.image} both say that they are backup {number}"
    yield from (
        f"{one}: it may be newer than {newest.image}"
        for one in found.catalog.passed_over
        if one.has_receipt
        and one.master in (None, health.master)
        and one.modified >= newest.modified
    )


def _stale(health: Health, found: Survey) -> Iterator[str]:
    newest, (max_age, max_drill_age) = health.sets[0], health.limits
    if max_age is not None and newest.age > max_age:
        yield (
            f"the newest backup of {shown(health.master)} is {spoken(newest.age)} old, and may be "
            f"{spoken(max_age)}: {newest.image}"
        )
    if max_drill_age is not None:
        drill = health.last_drill
        age = timestamps.between(drill.at, found.machine.now) if drill else None
        if age is None:
            yield f"no image of {shown(health.master)} was ever restored by a drill"
        elif age > max_drill_age:
            yield (
                f"the last good drill of {shown(health.master)} was {spoken(age)} ago, and may be "
                f"{spoken(max_drill_age)}"
            )
    yield from _last_drill_failed(health, found)
    for directory, count in health.room.items():
        if count < _ROOM_FOR:
            yield f"{found.host}:{shown(directory)} has room for {count} more sets of that size"


def _last_drill_failed(health: Health, found: Survey) -> Iterator[str]:
    """Yield that the last drill has failed, if of an older set: the newest may be alike."""
    now = found.machine.now
    drills = [
        (one.drilled.at, one.drilled.is_sound, one.image)
        for one in health.sets
        if one.drilled and not timestamps.is_future(one.drilled.at, now)
    ]
    at, is_sound, image = max(drills, key=lambda drill: drill[:2], default=("", True, None))
    if not is_sound and image != health.sets[0].image:
        yield f"the last drill of {shown(health.master)} failed, at {at}, of {image}"


def _unknown(health: Health, request: StatusRequest, found: Survey) -> Iterator[str]:
    """Yield what is there to be known, and cannot be: it may be that something is late or wrong."""
    newest, of_newest = health.sets[0].image, found.checks[health.sets[0].image]
    for path, check, what in (
        (newest.verification, of_newest.verified, "verification"),
        (newest.drill, of_newest.drilled, "drill"),
    ):
        if check is None and path in found.catalog.entries:
            yield f"{shown(path)} cannot be used, so how the last {what} went is not known"
    if None in (request.max_age, request.max_drill_age) and health.interval is None:
        for path, why in found.broken_promises.get(str(health.id), ()):
            yield f"{shown(path)} {why}, so how often a set is promised is not known"


def _notes(health: Health, request: StatusRequest, found: Survey) -> Iterator[str]:
    """Yield what is told besides, and never changes the exit code."""
    every = health.interval
    for one in health.sets:
        drill = found.checks[one.image].drilled
        if drill and not one.drilled:
            yield f"the last drill of {one.image} does not count: it is of the future, {drill.at}"
    if request.max_age and every and request.max_age != every * _GRACE:
        yield f"-max-age says {spoken(request.max_age)}; a set is promised each {spoken(every)}"
    for one in health.sets[1:]:
        yield from one.faults
    if health.leftovers:
        yield f"{health.leftovers} images without a receipt: running, or left by a run that failed"


def _suspicious(newest: ImageSet, health: Health) -> Iterator[str]:
    """Yield what is suspicious in the newest set, as long as a rotation deletes nothing for it."""
    suspicions, drilled = newest.receipt.suspicions, health.sets[0].drilled
    if suspicions and not newest.receipt.accepted and not (drilled and drilled.is_sound):
        yield (
            f"{newest.image} {'; it '.join(suspicions)}; rotations delete nothing until a good "
            "drill of it, or one run with -yes"
        )


def _coverage(newest: ImageSet, found: Survey) -> tuple[int | None, list[str]]:
    """Return how many databases there are now, and how they differ from the newest set's."""
    receipt = newest.receipt
    for repository, inventory in found.databases.items():
        if repository.master != receipt.master:
            continue
        if isinstance(inventory, str):
            return None, [
                f"the databases of {shown(repository.master)} cannot be told: {inventory}"
            ]
        there, imaged = {*inventory.coverage.paths}, {*receipt.databases}
        notes = []
        if new := sorted(there - imaged):
            notes.append(f"in no backup yet: {listed(new)}")
        if gone := sorted(imaged - there):
            notes.append(f"in the newest backup, and not on disk: {listed(gone)}")
        return len(there), notes
    return None, []


def spoken(seconds: float) -> str:
    """Return a length of time as people say it: ``13 h``, ``2 d``."""
    for unit, length in (("d", 86400), ("h", 3600), ("min", 60)):
        if abs(seconds) >= 2 * length:
            return f"{seconds / length:.0f} {unit}"
    return f"{seconds:.0f} s"


def place_of(one: SetState) -> str:
    """Return where a set lies, in a word."""
    return one.place or posixpath.basename(one.image.directory)
