"""Status: the health of each repository's backups.

Nothing is locked, and no image is read. The status comes from sizes, receipts and records.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from csf_backup_plugin.errors import BackupError, FaultFound, Interrupted, Stale, Unexpected
from csf_backup_plugin.operations.status.judgement import judge
from csf_backup_plugin.operations.status.survey import survey
from csf_backup_plugin.system_errors import reason

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from contextlib import AbstractContextManager

    from csf_backup_plugin.attempts.reading import Attempt, Attempts
    from csf_backup_plugin.hosts.protocol.host import Host
    from csf_backup_plugin.operations.status.health import Health
    from csf_backup_plugin.operations.status.request import StatusRequest


class Unreached(NamedTuple):
    """A host whose images could not be looked at.

    Attributes:
        host: the name of the host.
        problem: why they could not be looked at.
    """

    host: str
    problem: BackupError


class Status(NamedTuple):
    """The status of all repositories that were asked for.

    Attributes:
        repositories: the health of each, worst first.
        unreached: the hosts whose images could not be looked at.
        warnings: what else the user should know.
        unread: sentences about image directories that could not be read, and why.
    """

    repositories: Sequence[Health]
    unreached: Sequence[Unreached]
    warnings: Sequence[str]
    unread: Sequence[str] = ()

    @property
    def unread_besides(self) -> list[str]:
        """The sentences in `unread` that are not among the findings of a repository."""
        reported = {text for one in self.repositories for text in one.stale}
        return [text for text in self.unread if text not in reported]

    @property
    def problem(self) -> BackupError | None:
        """The worst problem, as an error; None if there is none."""
        faults = [text for one in self.repositories for text in one.with_name(one.faults)]
        stale = [text for one in self.repositories for text in one.with_name(one.stale)]
        stale += self.unread_besides
        if faults:
            return FaultFound(
                "Faults were found in the images:",
                "Look into it, and make a new backup.",
                faults,
            )
        if self.unreached:
            return self.unreached[0].problem
        if stale or not self.repositories:
            lines = "\n".join(f"  {text}" for text in stale or ["there is no proven image at all"])
            return Stale(
                f"Backups need attention:\n{lines}",
                "Look into the runs that should have made them.",
                {"findings": list(stale)},
            )
        return None


def look(
    request: StatusRequest,
    on: Callable[[str], AbstractContextManager[Host]],
    read_ledger: Callable[[], Attempts],
) -> Status:
    """Return the status of all repositories in the image directories.

    Args:
        request: the command's validated options.
        on: connects to a host by name for a block, with a time limit.
        read_ledger: returns the attempts in this machine's ledger.
    """
    attempts, unknown = attempts_and_warnings(read_ledger)
    return joined([look_at(name, request, on, attempts) for name in request.hosts], unknown)


def look_at(
    name: str,
    request: StatusRequest,
    on: Callable[[str], AbstractContextManager[Host]],
    attempts: Sequence[Attempt] | None,
) -> Status:
    """Return the status of the repositories of one host.

    Args:
        name: the name of the host.
        request: the command's validated options; other hosts are left out.
        on: connects to a host by name for a block, with a time limit.
        attempts: as `attempts_and_warnings` returns them.
    """
    try:
        with on(name) as host:
            found = survey(request, host)
    except (Interrupted, Unexpected):
        raise
    except BackupError as error:
        return Status([], [Unreached(name, error)], [])
    repositories = judge(request, found, attempts)
    return Status(repositories, [], [], [*found.unread.values()])


def joined(statuses: Sequence[Status], warnings: Sequence[str]) -> Status:
    """Join the statuses of several hosts into one.

    Args:
        statuses: the status of each host.
        warnings: what else the user should know.
    """
    repositories = (health for one in statuses for health in one.repositories)
    return Status(
        sorted(repositories, key=lambda one: (one.rank, one.master, one.host)),
        [host for one in statuses for host in one.unreached],
        warnings,
        [text for one in statuses for text in one.unread],
    )


def attempts_and_warnings(
    read_ledger: Callable[[], Attempts],
) -> tuple[list[Attempt] | None, list[str]]:
    """Return the attempts in the ledger, None if there is no ledger; and warnings."""
    try:
        found = read_ledger()
    except FileNotFoundError:
        return None, []  # backups may be made by csf on another machine
    except (OSError, ValueError) as error:
        return None, [f"which attempts there were is not known: {reason(error)}"]
    skipped = found.newer + found.unreadable
    lines = [f"{skipped:,} lines of the ledger of attempts were skipped"]
    return found.attempts, lines * bool(skipped)
