"""A status as text: a verdict for each repository, and a line for each set."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from csf_backup_plugin import timestamps
from csf_backup_plugin.cli.human_sizes import counted, human
from csf_backup_plugin.names import shown
from csf_backup_plugin.operations.status.findings import ROOM_FOR
from csf_backup_plugin.operations.status.health import (
    is_of_the_future,
    last_attempt,
    place_of,
    spoken,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from csf_backup_plugin.image.check_record import Check
    from csf_backup_plugin.operations.status import Status
    from csf_backup_plugin.operations.status.health import Health, SetState

_VERDICTS = (("FAULT", "red"), ("STALE", "yellow"), ("OK", "green"))
_NEAR = 400 * 86400  # in seconds: a later end of the room is not shown
_HEAD = ("PLACE", "AGE", "SIZE", "DATABASES", "VERIFIED", "DRILLED", "IMAGE")


def table(status: Status, *, in_colour: bool = False) -> str:
    """Return the text; it is at most 80 columns wide, except for names."""
    blocks = [
        "\n".join([f"{_verdict(one, in_colour=in_colour)} {_name(one)}", *_repository(one)])
        for one in status.repositories
    ]
    blocks += [f"UNREACHED {one.host}: {one.problem.what}" for one in status.unreached]
    blocks += [f"UNREAD {text}" for text in status.unread]
    return "\n\n".join(blocks or ["There is no proven image."])


def _verdict(one: Health, *, in_colour: bool) -> str:
    word, colour = _VERDICTS[one.rank]
    return click.style(word, fg=colour, bold=True) if in_colour else word


def _name(one: Health) -> str:
    return f"{shown(one.master)} on {one.host}"


def _repository(one: Health) -> Iterator[str]:
    yield from (f"  ! {text}" for text in (*one.faults, *one.stale))
    yield from (f"  - {text}" for text in one.notes)
    if not one.sets:
        return
    newest = one.sets[0]
    if is_of_the_future(newest):
        yield "  How much work would be lost is not known: the newest set has a date in the future."
    else:
        yield f"  Work since {newest.started} would be lost: {spoken(newest.age)}."
    drill = one.last_drill
    if drill and drill.seconds is not None:
        yield f"  A restore takes about {drill.seconds:.1f} s, by the drill of {drill.at}."
    yield from attempt_lines(one)
    if one.due:
        is_past = timestamps.between(newest.started, one.due) < newest.age
        yield f"  The next set {'was' if is_past else 'is'} due by {one.due}."
    for directory, count in one.room.items():
        if count < ROOM_FOR:  # that is among the findings above
            continue
        yield f"  {shown(directory)} has room for {counted(count, 'more set')}{_until(one, count)}."
    if one.coverage is not None:
        there = counted(one.coverage, "database")
        yield f"  There are {there} now; the newest set has {newest.databases:,}."
    yield ""
    rows = [_HEAD, *(_row(state) for state in one.sets)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEAD) - 1)]
    for row in rows:
        cells = [cell.ljust(width) for cell, width in zip(row[:-1], widths, strict=True)]
        yield f"  {'  '.join(cells)}  {row[-1]}"


def _until(one: Health, count: int) -> str:
    """Return until when a directory has room, if that is soon and an interval is promised."""
    seconds = count * (one.interval or 0)
    if not 0 < seconds < _NEAR or is_of_the_future(one.sets[0]):
        return ""
    return f", until {timestamps.later(one.sets[0].started, seconds)[:10]} if none is removed"


def attempt_lines(one: Health) -> Iterator[str]:
    """Yield the outcome of the last attempt if it made no set, and the number of such attempts."""
    if how := last_attempt(one):
        yield f"  The last attempt, {how}"
        ids = [attempt.id for attempt in one.attempts or ()]
        success = one.last_success
        failed = len(ids) - (ids.index(success.id) + 1 if success else 0)
        yield f"  {counted(failed, 'attempt')} since the last that made a set."


def _row(one: SetState) -> tuple[str, ...]:
    return (
        place_of(one),
        "future" if is_of_the_future(one) else spoken(one.age),
        human(one.size),
        f"{one.databases:,}",
        _checked(one.verified),
        _checked(one.drilled),
        shown(one.image.path),
    )


def _checked(check: Check | None) -> str:
    if check is None:
        return "-"
    return check.at[:10] if check.is_sound else f"FAILED {check.at[:10]}"
