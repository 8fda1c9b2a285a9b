"""The status of a fleet as text: a row for each repository, then the findings."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from csf_backup_plugin import timestamps
from csf_backup_plugin.cli.status_table import attempt_lines
from csf_backup_plugin.fleet.status import FAULT, OK, STALE, STATES, UNREACHED
from csf_backup_plugin.names import shown
from csf_backup_plugin.operations.status.findings import ROOM_FOR
from csf_backup_plugin.operations.status.health import is_of_the_future, spoken

if TYPE_CHECKING:
    from collections.abc import Iterator

    from csf_backup_plugin.fleet.status import FleetStatus, Row
    from csf_backup_plugin.image.check_record import Check
    from csf_backup_plugin.operations.status.health import Health, SetState

_COLOURS = {FAULT: "red", UNREACHED: "red", STALE: "yellow", OK: "green"}
_HEAD = ("REPOSITORY", "STATE", "AGE", "VERIFIED", "DRILLED", "RESTORE", "WRONG")
_STATE = _HEAD.index("STATE")
_LONGEST_NAME = 16
_COLUMNS = 80


def table(found: FleetStatus, *, in_colour: bool = False) -> str:
    """Return the text; the table in it is at most 80 columns wide."""
    rows = [_HEAD, *map(_cells, found.rows)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEAD) - 1)]
    lines = [_line(row, widths, in_colour=in_colour) for row in rows]
    blocks = ["\n".join([_counts(found), "", *lines]), *map("\n".join, _details(found))]
    blocks += [f"UNREAD {text}" for text in found.status.unread_besides]
    return "\n\n".join(blocks)


def _counts(found: FleetStatus) -> str:
    states = [row.state for row in found.rows]
    counts = [f"{states.count(one):,} {one.upper()}" for one in STATES if one in states]
    many = f"{len(states):,} repositories" if len(states) > 1 else "1 repository"
    return f"{many} of {shown(found.path)}: {', '.join(counts)}"


def _line(row: tuple[str, ...], widths: list[int], *, in_colour: bool) -> str:
    cells = [cell.ljust(width) for cell, width in zip(row[:-1], widths, strict=True)]
    left = _COLUMNS - len("  ".join([*cells, ""]))
    colour = _COLOURS.get(row[_STATE].lower())
    if in_colour and colour:
        cells[_STATE] = click.style(cells[_STATE], fg=colour, bold=True)
    return "  ".join([*cells, row[-1][:left]]).rstrip()


def _cells(row: Row) -> tuple[str, ...]:
    name = shown(row.name)
    if len(name) > _LONGEST_NAME:
        name = name[: _LONGEST_NAME - 3] + "..."
    state = row.state.upper()
    if row.health is None:
        return name, state, "?", "?", "?", "?", "no answer"
    return name, state, *_figures(row.health), _in_short(row.health)


def _figures(one: Health) -> Iterator[str]:
    """Yield the ages of newest set, verification and drill, and how long a restore takes."""
    if not one.sets:
        yield from "----"
        return
    newest, drill = one.sets[0], one.last_drill
    verified = [each.verified for each in one.sets if each.verified]
    yield "future" if is_of_the_future(newest) else spoken(newest.age)
    yield _ago(max(verified, key=lambda check: check.at, default=None), newest)
    yield _ago(drill, newest)
    yield spoken(drill.seconds) if drill and drill.seconds is not None else "-"


def _ago(check: Check | None, newest: SetState) -> str:
    """Return how long ago a check was, by the clock of the newest set's age."""
    if check is None:
        return "-"
    return spoken(_age(check, newest)) if check.is_sound else "FAILED"


def _age(check: Check, newest: SetState) -> float:
    return newest.age - timestamps.between(newest.started, check.at)


def _in_short(one: Health) -> str:
    """Return the worst finding in a word or two, and the number of the others."""
    findings = len(one.faults) + len(one.stale)
    if not findings:
        return ""
    word = _word(one)
    return f"{word}, +{findings - 1}" if findings > 1 else word


def _word(one: Health) -> str:
    if one.faults or not one.sets:
        return "a fault" if one.faults else "no backup"
    (max_age, max_drill_age), newest, drill = one.limits, one.sets[0], one.last_drill
    is_too_old = drill and max_drill_age is not None and _age(drill, newest) > max_drill_age
    kinds = {
        "too old": max_age is not None and newest.age > max_age,
        "never drilled": max_drill_age is not None and drill is None,
        "drill too old": is_too_old,
        "little room": any(count < ROOM_FOR for count in one.room.values()),
    }
    return next((word for word, holds in kinds.items() if holds), "see below")


def _details(found: FleetStatus) -> Iterator[list[str]]:
    """Yield the findings and notes about each repository, below its full name."""
    for row in found.rows:
        lines = [f"  ! {row.problem.what}"] if row.problem else []
        if one := row.health:
            lines += [f"  ! {text}" for text in (*one.faults, *one.stale)]
            lines += [f"  - {text}" for text in one.notes]
            lines += attempt_lines(one)
        if lines:
            yield [f"{shown(row.name)}: {shown(row.master)} on {row.host}", *lines]
