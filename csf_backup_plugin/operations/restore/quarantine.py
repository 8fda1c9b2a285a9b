"""Move extra databases out of the way of a restore; they are never deleted."""

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

    from csf_backup_plugin.hosts.protocol.host import Host
    from csf_backup_plugin.hosts.protocol.values import Entry
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
        """The command that moves everything back, to be typed on the host."""
        source = command(self.directory)
        home = command(posixpath.dirname(self.moves[0][0]))
        return f"find {source} -mindepth 1 -exec mv -n -t {home} {{}} + && rmdir {source}"


def quarantine_for(repository: Repository, extra: Sequence[str], host: Host) -> Quarantine:
    """Choose the directory for extra databases; move nothing.

    It is a dated directory beside the repository's. If the parent directory is not writable, or is
    on another file system or mount, so that a move could fail half way, it is one inside the
    repository's directory.
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
    """Return the quarantine directories of earlier restores.

    Args:
        repository: the repository that was restored.
        beside: returns what is in the parent of the repository's directory.
        inside: returns what is in the repository's directory.
    """
    parent, name = posixpath.split(repository.directory)
    found: list[str] = []
    for directory, prefix, entries in (
        (parent, f"{name}.{_PREFIX}", beside),
        (repository.directory, _PREFIX, inside),
    ):
        with contextlib.suppress(OSError):  # an unreadable directory counts as empty
            names = [entry.name for entry in entries()]
            found += [f"{directory.rstrip('/')}/{n}" for n in names if n.startswith(prefix)]
    return sorted(found)


def fill(quarantine: Quarantine, host: Host) -> None:
    """Move the databases into quarantine.

    Raises:
        OSError: a database cannot be moved; those before it were moved. With EXDEV, none was moved.
        Interrupted: a signal came before anything was done.
    """
    host.cancellation.check()
    host.make_directories([quarantine.directory])
    host.move(quarantine.moves)


def inside(quarantine: Quarantine, host: Host) -> Quarantine:
    """Return a quarantine in the databases' own directory, since the first one cannot be used.

    Two mounts of one file system look alike, but files cannot be moved between them.
    """
    host.remove([quarantine.directory])
    directory = posixpath.dirname(quarantine.moves[0][0])
    time = quarantine.directory.rpartition(_PREFIX)[2]
    return _quarantine(f"{directory}/{_PREFIX}{time}", [old for old, _ in quarantine.moves])


def empty(quarantine: Quarantine, host: Host) -> tuple[Quarantine | None, str]:
    """Move the databases in quarantine back, and remove the quarantine's directory.

    Returns:
        The quarantine if it could not be emptied, else None; and a sentence that says where the
        extra databases are now.
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
    """Return the sentence that says where the extra databases may be."""
    return f"The extra databases are where they were, or in {shown(quarantine.directory)}."


def kept(quarantine: Quarantine) -> str:
    """Return the sentence that says that the extra databases stay in quarantine."""
    return f"The extra databases are kept in {shown(quarantine.directory)}."
