"""Status: how much work would be lost now, how long a restore would take, and since when.

Nothing is locked, and no image is read: sizes, receipts and records tell.
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
    from csf_backup_plugin.hosts.protocol import Host
    from csf_backup_plugin.operations.status.health import Health
    from csf_backup_plugin.operations.status.request import StatusRequest


class Unreached(NamedTuple):
    """A host that nothing could be learned of.

    Attributes:
        host: which.
        problem: why.
    """

    host: str
    problem: BackupError


class Status(NamedTuple):
    """What is known of all repositories that were asked for.

    Attributes:
        repositories: the health of each, worst first.
        unreached: hosts of which nothing is known.
        warnings: what else the user should know.
        unread: image directories that could not be read, and why: what is there, nobody knows.
    """

    repositories: Sequence[Health]
    unreached: Sequence[Unreached]
    warnings: Sequence[str]
    unread: Sequence[str] = ()

    @property
    def unread_besides(self) -> list[str]:
        """What could not be read, and is no finding of a repository."""
        told = {text for one in self.repositories for text in one.stale}
        return [text for text in self.unread if text not in told]

    @property
    def problem(self) -> BackupError | None:
        """The worst problem of all; None if all is well."""
        faults = [text for one in self.repositories for text in one.told(one.faults)]
        stale = [text for one in self.repositories for text in one.told(one.stale)]
        stale += self.unread_besides
        if faults:
            return FaultFound(
                "What is kept is not as it should be:",
                "Look into it, and make a new backup.",
                faults,
            )
        if self.unreached:
            return self.unreached[0].problem
        if stale or not self.repositories:
            lines = "\n".join(f"  {text}" for text in stale or ["there is no proven image at all"])
            return Stale(
                f"Backups are not as they should be:\n{lines}",
                "Look into the runs that should have made them.",
                {"findings": list(stale)},
            )
        return None


def look(
    request: StatusRequest,
    on: Callable[[str], AbstractContextManager[Host]],
    read_ledger: Callable[[], Attempts],
) -> Status:
    """Return what is known of all repositories in the image directories.

    Args:
        request: the command's validated options.
        on: connects to a host, for a limited time.
        read_ledger: returns the attempts that this machine knows of.
    """
    attempts, unknown = attempts_and_warnings(read_ledger)
    return joined([look_at(name, request, on, attempts) for name in request.hosts], unknown)


def look_at(
    name: str,
    request: StatusRequest,
    on: Callable[[str], AbstractContextManager[Host]],
    attempts: Sequence[Attempt] | None,
) -> Status:
    """Return what is known of the repositories of one host.

    Args:
        name: of the host.
        request: what was asked for; what is on others is left out.
        on: connects to it, for a limited time.
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
    """Return the status of several hosts as one.

    Args:
        statuses: of each.
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
    """Return what the ledger says, and what cannot be known without it."""
    try:
        found = read_ledger()
    except FileNotFoundError:
        return None, []  # csf may run on another machine
    except (OSError, ValueError) as error:
        return None, [f"which attempts there were is not known: {reason(error)}"]
    passed_over = found.newer + found.unreadable
    lines = [f"{passed_over:,} lines of the ledger of attempts were passed over"]
    return found.attempts, lines * bool(passed_over)
