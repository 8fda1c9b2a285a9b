"""The findings about a repository's backups: faults, stale backups, and notes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from csf_backup_plugin import timestamps
from csf_backup_plugin.image.by_repository import highest, twins
from csf_backup_plugin.names import listed, shown
from csf_backup_plugin.operations.mounts import why_unmounted
from csf_backup_plugin.operations.status.health import spoken
from csf_backup_plugin.operations.status.request import Expected

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from csf_backup_plugin.attempts.reading import Attempt
    from csf_backup_plugin.image.catalog import ImageSet
    from csf_backup_plugin.operations.status.health import Health
    from csf_backup_plugin.operations.status.request import StatusRequest
    from csf_backup_plugin.operations.status.survey import Survey

#: A set may be this many times as old as promised: a run takes time, and clocks are changed for
#: summer time.
GRACE = 1.25
#: How many more sets there should be room for.
ROOM_FOR = 3


def faults(health: Health, sets: Sequence[ImageSet], found: Survey) -> Iterator[str]:
    """Yield the faults of the sets; they cause exit code 50."""
    newest = highest(sets)
    yield from health.sets[0].faults
    if timestamps.is_future(newest.receipt.started, found.machine.now):
        started = newest.receipt.started
        yield (
            f"{newest.image} says that its backup began in the future, at {started}; correct the "
            f"clock of {found.host}, and make a new backup"
        )
    for one in twins(sets):
        number = newest.receipt.origin.number
        yield f"{one.image} and {newest.image} both say that they are backup {number}"
    yield from (
        f"{one}: it may be newer than {newest.image}"
        for one in found.catalog.skipped
        if one.has_receipt
        and one.master in (None, health.master)
        and one.modified >= newest.modified
    )


def stale(health: Health, sets: Sequence[ImageSet], found: Survey) -> Iterator[str]:
    """Yield what is late or was never done, and where room is low; they cause exit code 70."""
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
    yield from _not_mounted(sets, found)
    for directory, count in health.room.items():
        if count < ROOM_FOR:
            yield f"{found.host}:{shown(directory)} has room for {count} more sets of that size"


def _not_mounted(sets: Sequence[ImageSet], found: Survey) -> Iterator[str]:
    """Yield the image directories whose disk is not mounted.

    The newest rotation on this machine says which disks are expected. The sets on a missing disk
    are not seen, so nothing else may look wrong.
    """
    made_here = [
        one
        for one in sets
        if one.receipt.placement and one.receipt.origin.machine_id == found.machine.id
    ]
    mounts = highest(made_here).receipt.origin.mounts if made_here else {}
    for top, at in found.at.items():
        if why := why_unmounted(at, mounts.get(at.resolved, "/")):
            yield f"{found.host}:{shown(top.directory)} {why}"


def _last_drill_failed(health: Health, found: Survey) -> Iterator[str]:
    """Yield the last drill if it failed on an older set: the newest may have the same fault."""
    now = found.machine.now
    drills = [
        (one.drilled.at, one.drilled.is_sound, one.image)
        for one in health.sets
        if one.drilled and not timestamps.is_future(one.drilled.at, now)
    ]
    at, is_sound, image = max(drills, key=lambda drill: drill[:2], default=("", True, None))
    if not is_sound and image != health.sets[0].image:
        yield f"the last drill of {shown(health.master)} failed, at {at}, of {image}"


def unknown(health: Health, request: StatusRequest, found: Survey) -> Iterator[str]:
    """Yield records that cannot be used: they may hide that something is late or wrong."""
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


def of_the_future(attempts: Sequence[Attempt], found: Survey) -> Iterator[str]:
    """Yield the last attempt if it began in the future: then ages cannot be known."""
    began, now = attempts[-1].began if attempts else None, found.machine.now
    if began and timestamps.is_future(began, now):
        yield (
            f"the last attempt began at {began}, by the clock of {shown(attempts[-1].driver)}, and "
            f"{found.host} has {now} now; correct the clock that is wrong"
        )


def notes(
    health: Health, request: StatusRequest, expected: Expected | None, found: Survey
) -> Iterator[str]:
    """Yield what else the user should know; it never changes the exit code."""
    for one in health.sets:
        drill = found.checks[one.image].drilled
        if drill and not one.drilled:
            yield (
                f"the last drill of {one.image} does not count: it has a date in the future, "
                f"{drill.at}"
            )
    promise = found.promises.get(str(health.id), {})
    every, drill_every = promise.get("every_seconds"), promise.get("drill_every_seconds")
    file = expected or Expected("", ())
    for name, what, option, in_file, each in (
        ("-max-age", "a set", request.max_age, file.max_age, every),
        ("-max-drill-age", "a drill", request.max_drill_age, file.max_drill_age, drill_every),
    ):
        yield from _differences(name, f"{what} is promised", option, in_file, each)
    for one in health.sets[1:]:
        yield from one.faults
    yield from (
        str(one)
        for one in found.catalog.skipped
        if one.is_copy and one.master in (None, health.master)
    )
    if health.leftovers:
        images = "1 image" if health.leftovers == 1 else f"{health.leftovers:,} images"
        yield f"{images} without a receipt: running, or left by a run that failed"


def _differences(
    name: str, promised: str, option: float | None, file: float | None, every: float | None
) -> Iterator[str]:
    """Yield the differences between the ages in an option, in the fleet file and in a promise.

    Args:
        name: the option's name.
        promised: the beginning of the words about the promise.
        option: the option's age in seconds; it comes first. 0 or None if it gives none.
        file: the fleet file's age in seconds; 0 or None if it gives none.
        every: the promised interval in seconds; None if nothing is promised.
    """
    if option and file and option != file:
        yield f"{name} says {spoken(option)}, and the fleet file {spoken(file)}"
    given = option or file
    if given and every and given != every * GRACE:
        who = name if option else "the fleet file"
        yield f"{who} says {spoken(given)}; {promised} each {spoken(every)}"


def suspicious(newest: ImageSet, health: Health) -> Iterator[str]:
    """Yield the suspicions about the newest set, as long as they stop deletions."""
    suspicions, drilled = newest.receipt.suspicions, health.sets[0].drilled
    if suspicions and not newest.receipt.accepted and not (drilled and drilled.is_sound):
        yield (
            f"{newest.image} {'; it '.join(suspicions)}; rotations delete nothing until a good "
            "drill of it, or one run with -yes"
        )


def coverage(newest: ImageSet, found: Survey) -> tuple[int | None, list[str]]:
    """Return how many databases there are now, and their differences from the newest set."""
    receipt = newest.receipt
    for repository, inventory in found.databases.items():
        if repository.master != receipt.master:
            continue
        if isinstance(inventory, str):
            return None, [
                f"the databases of {shown(repository.master)} cannot be listed: {inventory}"
            ]
        there, imaged = {*inventory.coverage.paths}, {*receipt.databases}
        notes = []
        if new := sorted(there - imaged):
            notes.append(f"in no backup yet: {listed(new)}")
        if gone := sorted(imaged - there):
            notes.append(f"in the newest backup, and not on disk: {listed(gone)}")
        return len(there), notes
    return None, []
