"""What a restore would do, found out before it does anything."""

from __future__ import annotations

import posixpath
import shlex
from typing import TYPE_CHECKING, NamedTuple

from csf_backup_plugin import manifest
from csf_backup_plugin.agreement import findings
from csf_backup_plugin.backup.preflight import space_needed
from csf_backup_plugin.errors import (
    FaultFound,
    NoSpace,
    RepositoryIncomplete,
    RepositoryNotFound,
)
from csf_backup_plugin.names import shown
from csf_backup_plugin.objectstore import OSRESTORE, VARIABLES
from csf_backup_plugin.repository import Repository
from csf_backup_plugin.request import default_timeout
from csf_backup_plugin.survey import set_against

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from csf_backup_plugin.hosts.protocol import Facts, Host
    from csf_backup_plugin.proven import Proven
    from csf_backup_plugin.restore.request import RestoreRequest
    from csf_backup_plugin.watcher import Watcher


class RestorePlan(NamedTuple):
    """A restore that may begin, if there are no extra databases.

    Attributes:
        request: what was asked for; its image is the one meant, if ``latest`` was named.
        proven: the image, as its receipt knows it.
        targets: the bytes of each database in the image, None where unknown, by the path it is
            restored to; the master database first.
        overwritten: the targets that are on disk now.
        appearing: the targets that are not.
        extra: databases on disk in the repository's directory and not in the image.
        masters: those of the extra ones that have a manifest, so are another repository's master.
        elsewhere: databases in the manifest, on disk outside the directory, and not in the image:
            nothing could take them for a part of what is restored, so they stay where they are.
        pairs: what osrestore is told besides: from which directory into which.
        osrestore: the program that restores.
        timeout: how long it may take, in seconds.
        damaged_manifest: the manifest there is, if not all of it could be read.
    """

    request: RestoreRequest
    proven: Proven
    targets: Mapping[str, int | None]
    overwritten: tuple[str, ...]
    appearing: tuple[str, ...]
    extra: tuple[str, ...]
    masters: tuple[str, ...]
    elsewhere: tuple[str, ...]
    pairs: tuple[tuple[str, str], ...]
    osrestore: str
    timeout: float
    damaged_manifest: bytes | None

    @property
    def bytes(self) -> int:
        """The databases' sizes together, as far as they are known."""
        return sum(size or 0 for size in self.targets.values())


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


def prepare_restore(
    request: RestoreRequest, proven: Proven, host: Host, watcher: Watcher
) -> RestorePlan:
    """Check everything a restore needs, and create nothing.

    Raises:
        BackupError: the first reason not to begin; extra databases are not one of them here.
    """
    osrestore = host.find(OSRESTORE, VARIABLES[OSRESTORE])
    size = max(proven.size, sum(size or 0 for size in proven.databases.values()))
    timeout = request.timeout or default_timeout(size)
    if problems := findings(request.image, proven, osrestore, host, watcher):
        raise FaultFound(
            f"{request.image} is not as its backup left it:",
            "Restore another image, such as "
            f"{request.image.host}:{shown(request.image.directory)}/latest. If this one was moved "
            "here, move what stands beside it, too.",
            problems,
        )
    targets = _targets(request, proven)
    facts = dict(zip(targets, host.look(targets), strict=True))
    _check_replaceable(facts, host)
    _check_room(targets, facts, host)
    data = host.read(request.repository.manifest)
    recorded = None if data is None else manifest.salvage(data)
    found = set_against(request.repository, host, recorded)
    others = [path for path in found.coverage.paths if path not in targets]
    directory = request.repository.directory
    extra = tuple(path for path in others if posixpath.dirname(path) == directory)
    return RestorePlan(
        request=request,
        proven=proven,
        targets=targets,
        overwritten=tuple(path for path in targets if facts[path].kind == "file"),
        appearing=tuple(path for path in targets if facts[path].kind == "missing"),
        extra=extra,
        masters=_masters(extra, host),
        elsewhere=tuple(path for path in others if posixpath.dirname(path) != directory),
        pairs=((posixpath.dirname(proven.master), request.into),) if request.into else (),
        osrestore=osrestore,
        timeout=timeout,
        damaged_manifest=data if recorded and recorded.damaged else None,
    )


def _targets(request: RestoreRequest, proven: Proven) -> dict[str, int | None]:
    first = sorted(proven.databases, key=lambda path: (path != proven.master, path))
    return {request.target_of(path): proven.databases[path] for path in first}


def _masters(extra: Sequence[str], host: Host) -> tuple[str, ...]:
    manifests = host.look(Repository(path).manifest for path in extra)
    looked = zip(extra, manifests, strict=True)
    return tuple(path for path, facts in looked if facts.kind != "missing")


def _check_replaceable(facts: Mapping[str, Facts], host: Host) -> None:
    """Refuse if a database cannot be put where it belongs: osrestore might notice half way."""
    blocked = [path for path, fact in facts.items() if fact.kind not in ("file", "missing")]
    if blocked:
        raise RepositoryIncomplete(
            f"On {host.name}, something that is no file stands where a database is to be restored "
            f"(a directory, or a link to nothing): {', '.join(map(shown, blocked))}.",
            "Move it away, or mount the disk the link leads to.",
        )


def _check_room(targets: Mapping[str, int | None], facts: Mapping[str, Facts], host: Host) -> None:
    """Refuse if a file system has no room for what its databases will grow by."""
    directories = list(dict.fromkeys(map(posixpath.dirname, targets)))
    looked = dict(zip(directories, host.look(directories), strict=True))
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
