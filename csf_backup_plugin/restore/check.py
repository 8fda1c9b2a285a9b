"""What keeps a restore from beginning: its place, the image's, and the room there."""

from __future__ import annotations

import posixpath
import shlex
from typing import TYPE_CHECKING

from csf_backup_plugin.backup.preflight import space_needed
from csf_backup_plugin.errors import (
    BackupError,
    NoSpace,
    RepositoryIncomplete,
    RepositoryNotFound,
    UnsafeImagePath,
)
from csf_backup_plugin.names import shown

if TYPE_CHECKING:
    from collections.abc import Mapping

    from csf_backup_plugin.hosts.protocol import Facts, Host
    from csf_backup_plugin.restore.request import RestoreRequest


def check_place(request: RestoreRequest, host: Host) -> None:
    """Refuse to restore to where there is no directory, or behind a link.

    The directory may be empty: a new disk. It is never made here, since a disk that is not mounted
    looks like a directory that is missing.

    Raises:
        RepositoryNotFound: the message says why.
    """
    repository = request.repository
    at_directory, at_master = host.look([repository.directory, repository.master])
    if at_directory.kind != "directory":
        raise _no_directory(repository.directory, host)
    beside = posixpath.join(at_directory.resolved, repository.name)
    if at_master.kind != "missing" and at_master.resolved != beside:
        raise RepositoryNotFound(
            f"{shown(repository.master)} on {host.name} is a link to {shown(at_master.resolved)}.",
            "Give -database as the path the other databases stand beside.",
        )


def check_replaceable(request: RestoreRequest, facts: Mapping[str, Facts], host: Host) -> None:
    """Refuse if a database cannot be put where it belongs: osrestore might notice half way.

    With -into, links are no such places: nobody said what they lead to is to be overwritten.

    Args:
        request: what was asked for.
        facts: on each place that a database is to be restored to.
        host: where they are.

    Raises:
        RepositoryIncomplete: it names what stands there.
    """
    blocked = [path for path, fact in facts.items() if fact.kind not in ("file", "missing")]
    if request.into:
        (at,) = host.look([request.into])
        blocked += [
            path
            for path, fact in facts.items()
            if posixpath.dirname(fact.resolved) not in (request.into, at.resolved)
        ]
    if blocked:
        raise RepositoryIncomplete(
            f"On {host.name}, something that is no file stands where a database is to be restored "
            f"(a directory, or a link): {', '.join(map(shown, blocked))}.",
            "Move it away, or mount the disk the link leads to.",
        )


def check_image_apart(
    request: RestoreRequest, targets: Mapping[str, int | None], host: Host
) -> None:
    """Refuse an image in the directory that is restored to: it would be overwritten, or moved.

    Raises:
        UnsafeImagePath: it is.
    """
    at_image, at_directory = host.look([request.image.directory, request.repository.directory])
    if at_image.resolved == at_directory.resolved or request.image.path in targets:
        raise UnsafeImagePath(
            f"{request.image} lies in the directory that is to be restored to: a database might "
            "overwrite it.",
            "Move the image with all that stands beside it, or restore into another directory.",
        )


def check_room(targets: Mapping[str, int | None], facts: Mapping[str, Facts], host: Host) -> None:
    """Refuse if a directory cannot be written to, or has no room for what its databases grow by.

    Args:
        targets: the bytes of each database, None where unknown, by where it is restored to.
        facts: on each of those places.
        host: where they are.

    Raises:
        BackupError: it names the directory.
    """
    directories = list(dict.fromkeys(map(posixpath.dirname, targets)))
    looked = dict(zip(directories, host.look(directories), strict=True))
    for directory, at in looked.items():
        if at.kind == "directory" and not at.writable:
            raise BackupError(
                f"{shown(directory)} on {host.name} is not writable for this user.",
                "Run the command as the user whose databases they are.",
            )
    growth = dict.fromkeys((at.device for at in looked.values()), 0)
    for path, size in targets.items():
        at = looked[posixpath.dirname(path)]
        if at.kind != "directory":
            raise _no_directory(posixpath.dirname(path), host)
        growth[at.device] += max(0, (size or 0) - facts[path].size)
    for directory, at in looked.items():
        if (more := growth[at.device]) and at.free < (needed := space_needed(more)):
            raise NoSpace(
                f"{host.name}:{shown(directory)} has {at.free:,} bytes free; what is restored may "
                f"need {needed:,} ({more:,} more than is on disk now, and a reserve).",
                "Make room there and run the same command again.",
            )


def _no_directory(directory: str, host: Host) -> RepositoryNotFound:
    return RepositoryNotFound(
        f"There is no directory {shown(directory)} on {host.name} to restore databases to.",
        "Mount the disk it is on. If it is lost, make an empty one there: "
        f"mkdir -p {shown(shlex.quote(directory))}",
    )
