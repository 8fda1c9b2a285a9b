"""Other repositories in the same directories; databases that they list are never ours."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING, NamedTuple

from csf_backup_plugin.repository import manifest
from csf_backup_plugin.repository.model import MANIFEST, Repository
from csf_backup_plugin.system_errors import reason

if TYPE_CHECKING:
    from collections.abc import Mapping

    from csf_backup_plugin.hosts.protocol.host import Host
    from csf_backup_plugin.hosts.protocol.values import Entry
    from csf_backup_plugin.repository.manifest import Manifest


class Other(NamedTuple):
    """Another repository.

    Attributes:
        repository: the repository.
        listed: the paths of all databases that its manifest lists, and of its master database.
        dropped: the paths that its manifest lists as dropped.
    """

    repository: Repository
    listed: frozenset[str]
    dropped: frozenset[str]


class Neighbours(NamedTuple):
    """The other repositories in some directories.

    Attributes:
        known: all of them, with what can be read of their manifests.
        unreadable: the paths of manifests that cannot be read whole, each with the reason.
    """

    known: tuple[Other, ...] = ()
    unreadable: Mapping[str, str] = {}

    @property
    def repositories(self) -> list[Repository]:
        """All of them."""
        return [other.repository for other in self.known]

    @property
    def listed(self) -> frozenset[str]:
        """Every path that one of them lists."""
        return frozenset().union(*(other.listed for other in self.known))


def find_neighbours(
    repository: Repository,
    recorded: Manifest | None,
    there: Mapping[str, Entry],
    suffixes: frozenset[str],
    host: Host,
) -> Neighbours:
    """Return the other repositories whose manifests are in some directories.

    If a repository's directory was copied, its manifest names the original path. If there still is
    a repository at that path, it is another one, too.

    Args:
        repository: our own repository.
        recorded: what its manifest says.
        there: what is in the directories, by path.
        suffixes: the suffixes of databases, in lower case: if a directory has such files, each
            manifest in it must be readable.
        host: where all of them are.
    """
    manifests = [p for p, e in there.items() if p.endswith(MANIFEST) and e.kind != "directory"]
    masters = {path.removesuffix(MANIFEST) for path in manifests}
    home = recorded.identity.master if recorded and recorded.identity else repository.master
    masters.add(home)
    repositories = [Repository(master) for master in sorted(masters - {repository.master})]
    known, unreadable = [], {}
    contents = host.read_each(one.manifest for one in repositories) if repositories else []
    for one, data in zip(repositories, contents, strict=True):
        is_master = one.master == home or _is_database(one.master, there, suffixes)
        if isinstance(data, bytes) and (is_master or data.startswith(manifest.HEADER)):
            found = manifest.salvage(data)
            known.append(_other(one, found))
            if found.damaged:
                unreadable[one.manifest] = f"line {found.damaged[0]} is damaged"
        elif isinstance(data, OSError) and (is_master or _is_file(one.master, there)):
            known.append(_other(one, manifest.Manifest()))
            unreadable[one.manifest] = reason(data)
    return Neighbours(tuple(known), unreadable)


def _is_file(path: str, there: Mapping[str, Entry]) -> bool:
    entry = there.get(path)
    return entry is not None and entry.kind == "file"


def _is_database(path: str, there: Mapping[str, Entry], suffixes: frozenset[str]) -> bool:
    return _is_file(path, there) and posixpath.splitext(path)[1].lower() in suffixes


def _other(repository: Repository, found: Manifest) -> Other:
    return Other(
        repository,
        frozenset([repository.master, *map(repository.path_of, found.names)]),
        frozenset(map(repository.path_of, found.dropped)),
    )
