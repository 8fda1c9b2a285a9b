"""Which repository has waited longest, as far as the ledger of this machine tells."""

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
    """Return repositories in the order in which the command was last done with them.

    Those of which nothing is known are the first; among equals, the file's order counts.

    Args:
        repositories: in the order of the file.
        command: its name.
        environ: the environment, which says where the ledger is.
    """
    last = _last_done(command, environ)
    return sorted(repositories, key=lambda one: last.get((one.host, one.repository.master), ""))


def _last_done(command: str, environ: Mapping[str, str]) -> dict[tuple[str, str], str]:
    """Return when an attempt that was done began last, by host and master database."""
    try:
        attempts = read_attempts(state_directory(environ)).attempts
    except (OSError, NoDirectory):  # each job tells of a ledger that cannot be used
        return {}
    return {
        (one.host, one.database): one.began
        for one in attempts
        if one.command == command and one.outcome == DONE
        if one.host and one.database and one.began
    }
