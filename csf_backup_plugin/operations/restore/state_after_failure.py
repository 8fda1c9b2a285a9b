"""The state of each database after a failed restore."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from csf_backup_plugin.errors import BackupError
from csf_backup_plugin.names import first, shown
from csf_backup_plugin.operations.aftermath import Left
from csf_backup_plugin.operations.restore import quarantine

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from csf_backup_plugin.hosts.protocol.host import Host
    from csf_backup_plugin.hosts.protocol.values import Stat
    from csf_backup_plugin.operations.restore.quarantine import Quarantine

_USE_NONE = "Use none of the databases before a restore has succeeded."

State = Literal["unchanged", "restored or changed", "new", "gone", "still missing"]


def look_at(paths: Iterable[str], host: Host) -> dict[str, Stat]:
    """Return what is at each database's path."""
    listed = list(paths)
    return dict(zip(listed, host.stat(listed), strict=True))


def compare(before: Mapping[str, Stat], after: Mapping[str, Stat]) -> dict[str, State]:
    """Return the state of each database.

    Args:
        before: what was at each path before osrestore began.
        after: what is at each path now.
    """
    return {path: _state(one, after[path]) for path, one in before.items()}


def is_untouched(states: Mapping[str, State]) -> bool:
    """Return whether everything is as it was before osrestore began."""
    return {*states.values()} <= {"unchanged", "still missing"}


def described_states(states: Mapping[str, State]) -> str:
    """Return a sentence about the databases, and the state of each if any has changed."""
    if is_untouched(states):
        return "No database was changed."
    kinds = dict.fromkeys(states.values())
    lines = [
        f"    {kind}: {line}"
        for kind in kinds
        for line in first([shown(path) for path, state in states.items() if state == kind])
    ]
    return "\n".join(
        [
            "Use none of the repository's databases before a restore has succeeded: they no longer "
            "fit together, and one may be damaged. Compared with before osrestore began:",
            *lines,
        ]
    )


def state_left(
    before: Mapping[str, Stat], place: Quarantine | None, host: Host, unknown: str = ""
) -> tuple[Left, bool]:
    """Find out the state of each database; if none has changed, undo the quarantine.

    Args:
        before: what was at each path before osrestore began.
        place: the directory that extra databases may have been moved to; None if there were none.
        host: the host to work on.
        unknown: whole sentences that say why the state cannot be known; empty if it can.

    Returns:
        What was left, and whether it is certain that no database has changed.
    """
    if unknown:
        return _unknown(f"{unknown} {_USE_NONE}", place), False
    try:
        states = compare(before, look_at(before, host))
    except (OSError, BackupError):
        what = (
            "It could not be found out what was restored. If osrestore still runs there, it holds "
            "the repository's lock."
        )
        return _unknown(f"{what} {_USE_NONE}", place), False
    words, untouched = [described_states(states)], is_untouched(states)
    if place and untouched:
        place, where = quarantine.empty(place, host)
        words.append(where)
    elif place:
        words.append(quarantine.kept(place))
    facts = {"databases": states, "quarantine": place and place.directory}
    return Left("\n".join(words), facts=facts), untouched


def _unknown(what: str, place: Quarantine | None) -> Left:
    return Left("\n".join([what, *([quarantine.may_be_in(place)] if place else [])]))


def _state(before: Stat, after: Stat) -> State:
    if before.kind == "missing":
        return "still missing" if after.kind == "missing" else "new"
    if after.kind == "missing":
        return "gone"
    return "unchanged" if before.stamp == after.stamp else "restored or changed"
