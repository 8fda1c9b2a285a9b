"""Sort repositories by the time since the last success, from the ledger of this machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from csf_backup_plugin.attempts.directory import NoDirectory, state_directory
from csf_backup_plugin.attempts.outcomes import DONE
from csf_backup_plugin.attempts.reading import read_attempts

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from csf_backup_plugin.fleet.repository import FleetRepository


def longest_waiting_first(
    repositories: Sequence[FleetRepository], command: str, environ: Mapping[str, str]
) -> list[FleetRepository]:
    """Return repositories, those whose last success with a command is the oldest first.

    Repositories without a known success come first. Otherwise equal ones stay in the order of the
    file.

    Args:
        repositories: the repositories in the order of the file.
        command: the name of the command.
        environ: the environment, which says where the ledger is.
    """
    last = _last_done(command, environ)
    return sorted(repositories, key=lambda one: last.get((one.host, one.repository.master), ""))


def _last_done(command: str, environ: Mapping[str, str]) -> dict[tuple[str, str], str]:
    """Return when the last successful attempt began, by host and master database."""
    try:
        attempts = read_attempts(state_directory(environ)).attempts
    except (OSError, NoDirectory):  # each job warns about a ledger that cannot be used
        return {}
    return {
        (one.host, one.database): one.began
        for one in attempts
        if one.command == command and one.outcome == DONE
        if one.host and one.database and one.began
    }
