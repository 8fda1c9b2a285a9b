"""A status in the form of a Nagios plugin: one line, and an exit code from 0 to 3.

The form is that of the Monitoring Plugins Development Guidelines.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from csf_backup_plugin.names import first, shown
from csf_backup_plugin.operations.status.health import is_of_the_future, last_attempt, spoken

if TYPE_CHECKING:
    from collections.abc import Iterator

    from csf_backup_plugin.operations.status import Status
    from csf_backup_plugin.operations.status.health import Health

OK, WARNING, CRITICAL, UNKNOWN = range(4)
_WORDS = ("OK", "WARNING", "CRITICAL", "UNKNOWN")


def line(status: Status) -> tuple[int, str]:
    """Return the exit code and the line."""
    problems = [
        text for one in status.repositories for text in one.with_name(one.faults, one.stale)
    ]
    problems += [one.problem.what for one in status.unreached] + status.unread_besides
    code = max(map(_state, status.repositories), default=CRITICAL)
    if status.unread:
        code = max(code, WARNING)
    if status.unreached:
        code = CRITICAL
    attempts = [
        text
        for one in status.repositories
        if (how := last_attempt(one))
        for text in one.with_name([f"the last attempt, {how}"])
    ]
    text = _plain("; ".join([*(first(problems) or [_all_is_well(status)]), *first(attempts)]))
    titles = Counter(one.title for one in status.repositories)
    figures = " ".join(
        word
        for one in status.repositories
        for word in _figures(one, is_alone=titles[one.title] == 1)
    )
    return code, f"BACKUP {_WORDS[code]} - {text}" + (f" | {figures}" if figures else "")


def unknown(why: str) -> str:
    """Return the line if there is no status."""
    return f"BACKUP UNKNOWN - {_plain(why)}"


def critical(why: str) -> str:
    """Return the line of a failure."""
    return f"BACKUP CRITICAL - {_plain(why)}"


def _plain(text: str) -> str:
    """Return a text in one line, without the bar that separates text and figures."""
    return text.replace("|", "/").replace("\n", "; ")


def _all_is_well(status: Status) -> str:
    if not status.repositories:
        return "there is no proven image"
    if status.repositories[0].name:
        oldest = max(status.repositories, key=lambda one: one.sets[0].age)
        age = spoken(oldest.sets[0].age)
        return f"{len(status.repositories):,} of a fleet; the oldest, {oldest.title}: {age} old"
    return ", ".join(
        f"{shown(one.master)}: {spoken(one.sets[0].age)} old" for one in status.repositories
    )


def _state(one: Health) -> int:
    """Return the state of a repository; a newest set of twice the allowed age is critical."""
    if one.faults or not one.sets:
        return CRITICAL
    limit = one.limits[0]
    if limit and one.sets[0].age > 2 * limit:
        return CRITICAL
    return WARNING if one.stale else OK


def _figures(one: Health, *, is_alone: bool) -> Iterator[str]:
    """Yield the figures of a repository; names in a line must differ."""
    if not one.sets:
        return
    name = one.title if is_alone else shown(f"{one.host}:{one.master} {(one.id or '')[:8]}")
    name = _plain(name).replace("'", "").replace("=", "")
    newest, (limit, _) = one.sets[0], one.limits
    bounds = f";{limit:.0f};{2 * limit:.0f};0" if limit else ""
    # "U" is a value that is not known.
    yield f"'{name} age'=" + ("U" if is_of_the_future(newest) else f"{newest.age:.0f}s{bounds}")
    yield f"'{name} size'={newest.size}B"
    yield f"'{name} sets'={len(one.sets)}"
