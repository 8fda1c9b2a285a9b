"""Other repositories whose databases lie in the same directories: what they list is never ours."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING, NamedTuple

from csf_backup_plugin.repository import manifest
from csf_backup_plugin.repository.model import MANIFEST, Repository
from csf_backup_plugin.system_errors import reason

if TYPE_CHECKING:
    from collections.abc import Mapping

    from csf_backup_plugin.hosts.protocol import Entry, Host
    from csf_backup_plugin.repository.manifest import Manifest


class Other(NamedTuple):
    """Another repository.

    Attributes:
        repository: which.
        listed: the paths of all databases its manifest lists, and of its master database.
        dropped: the paths that it says are none of its databases.
    """

    repository: Repository
    listed: frozenset[str]
    dropped: frozenset[str]


class Neighbours(NamedTuple):
    """The other repositories in some directories.

    Attributes:
        known: all of them, with what can be read of their manifests.
        unreadable: the paths of manifests that cannot be read whole, each with why.
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

    A manifest that was copied along with a repository's directory names the path it came from: the
    repository there, if there still is one, is another, too.

    Args:
        repository: which they are others than.
        recorded: what its manifest says.
        there: what is in the directories, by path.
        suffixes: those that databases have, in small letters: beside such a file, a manifest must
            be readable.
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
