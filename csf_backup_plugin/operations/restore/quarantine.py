"""Moving extra databases out of a restore's way; they are never deleted."""

from __future__ import annotations

import contextlib
import datetime
import posixpath
from typing import TYPE_CHECKING, NamedTuple

from csf_backup_plugin.errors import BackupError
from csf_backup_plugin.hosts.cleanup import clean_up
from csf_backup_plugin.names import command, shown
from csf_backup_plugin.system_errors import reason

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from csf_backup_plugin.hosts.protocol import Entry, Host
    from csf_backup_plugin.repository.model import Repository


_PREFIX = "quarantine-"


class Quarantine(NamedTuple):
    """A directory that extra databases are moved to.

    Attributes:
        directory: its path.
        moves: the old and the new path of each database.
    """

    directory: str
    moves: tuple[tuple[str, str], ...]

    @property
    def undo_command(self) -> str:
        """The command to type, on the host, to move everything back."""
        source = command(self.directory)
        home = command(posixpath.dirname(self.moves[0][0]))
        return f"find {source} -mindepth 1 -exec mv -n -t {home} {{}} + && rmdir {source}"


def quarantine_for(repository: Repository, extra: Sequence[str], host: Host) -> Quarantine:
    """Decide where extra databases go; nothing is moved.

    They go to a dated directory beside the repository's. If that would be on another file system or
    mount, so that a move could fail half way, or is not writable, they go to one inside the
    repository's.
    """
    parent = posixpath.dirname(repository.directory)
    at_parent, at_directory = host.look([parent, repository.directory])
    mounts = {(at.device, at.mount) for at in (at_parent, at_directory)}
    beside = at_parent.writable and len(mounts) == 1
    now = datetime.datetime.now(datetime.timezone.utc)
    start = repository.directory + ("." if beside else "/")
    return _quarantine(f"{start}{_PREFIX}{now:%Y%m%dT%H%M%S.%f}Z", extra)


def _quarantine(directory: str, databases: Sequence[str]) -> Quarantine:
    moves = [(path, posixpath.join(directory, posixpath.basename(path))) for path in databases]
    return Quarantine(directory, tuple(moves))


def earlier(
    repository: Repository,
    beside: Callable[[], Iterable[Entry]],
    inside: Callable[[], Iterable[Entry]],
) -> list[str]:
    """Return the quarantine directories of earlier restores, in both places where they may be.

    Args:
        repository: the repository that was restored.
        beside: returns what is in the directory above the repository's.
        inside: returns what is in the repository's directory.
    """
    parent, name = posixpath.split(repository.directory)
    found: list[str] = []
    for directory, prefix, entries in (
        (parent, f"{name}.{_PREFIX}", beside),
        (repository.directory, _PREFIX, inside),
    ):
        with contextlib.suppress(OSError):  # an unreadable parent has none
            names = [entry.name for entry in entries()]
            found += [f"{directory.rstrip('/')}/{n}" for n in names if n.startswith(prefix)]
    return sorted(found)


def fill(quarantine: Quarantine, host: Host) -> None:
    """Move the databases into quarantine.

    Raises:
        OSError: one cannot be moved; those before it were moved. With EXDEV, none was moved.
        Interrupted: a signal came before anything was done.
    """
    host.cancellation.check()
    host.make_directories([quarantine.directory])
    host.move(quarantine.moves)


def inside(quarantine: Quarantine, host: Host) -> Quarantine:
    """Return a quarantine in the databases' own directory, if a move to the first one failed.

    Two mounts of one file system look like the same one, but files cannot be moved between them.
    """
    host.remove([quarantine.directory])
    directory = posixpath.dirname(quarantine.moves[0][0])
    time = quarantine.directory.rpartition(_PREFIX)[2]
    return _quarantine(f"{directory}/{_PREFIX}{time}", [old for old, _ in quarantine.moves])


def empty(quarantine: Quarantine, host: Host) -> tuple[Quarantine | None, str]:
    """Move back what is in quarantine, and remove its directory.

    Returns:
        The quarantine if it could not be emptied, and a sentence that says where the extra
        databases are now.
    """
    try:
        looked = zip(quarantine.moves, host.stat(new for _, new in quarantine.moves), strict=True)
        back = [(new, old) for (old, new), facts in looked if facts.kind != "missing"]
    except (OSError, BackupError) as error:
        return quarantine, f"{may_be_in(quarantine)} That cannot be looked at: {reason(error)}."
    try:
        host.move(back)
    except (OSError, BackupError) as error:
        return quarantine, f"{kept(quarantine)} They could not all be moved back: {reason(error)}."
    left = clean_up([quarantine.directory], host)
    return None, ". ".join(["The extra databases are where they were", *left]) + "."


def may_be_in(quarantine: Quarantine) -> str:
    """Return the sentence that extra databases may have been moved."""
    return f"The extra databases are where they were, or in {shown(quarantine.directory)}."


def kept(quarantine: Quarantine) -> str:
    """Return the sentence that the extra databases stay in quarantine."""
    return f"The extra databases are kept in {shown(quarantine.directory)}."
