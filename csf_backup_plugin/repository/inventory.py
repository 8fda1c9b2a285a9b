"""What a repository consists of now: its directory compared with its manifest."""

from __future__ import annotations

import errno
import functools
import posixpath
from typing import TYPE_CHECKING, NamedTuple

from csf_backup_plugin.advised_commands import rebuild_command
from csf_backup_plugin.errors import RepositoryIncomplete
from csf_backup_plugin.hosts.postponed import postponed
from csf_backup_plugin.hosts.protocol.values import Entry
from csf_backup_plugin.log import log
from csf_backup_plugin.names import how_many, shown
from csf_backup_plugin.repository import manifest
from csf_backup_plugin.repository.coverage import Coverage, Database, compare
from csf_backup_plugin.repository.model import Repository
from csf_backup_plugin.repository.neighbours import Neighbours, find_neighbours
from csf_backup_plugin.system_errors import reason

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from csf_backup_plugin.hosts.protocol.host import Host
    from csf_backup_plugin.hosts.protocol.values import Kind
    from csf_backup_plugin.repository.manifest import Manifest


class Inventory(NamedTuple):
    """What was found of a repository.

    Attributes:
        repository: the repository.
        host: the name of the host it is on.
        coverage: its databases on disk and in the manifest.
        recorded: what the manifest says; None if there is none yet.
        directories: paths with the master database's suffix that are directories and not listed.
        unreachable: paths of databases that exist and are not regular files.
        links: its databases that are symbolic links.
        left_out: files in its directory that look like databases and do not belong to it.
        rest: the other files in its directory, except those of this plugin.
        dropped: files in its directory that the manifest lists as dropped.
        ambiguous: files in its directory that may also belong to another repository.
        others: the other repositories in the directories of its databases.
        closed: directories of its databases that cannot be listed, each with the reason.
    """

    repository: Repository
    host: str
    coverage: Coverage
    recorded: Manifest | None
    directories: tuple[str, ...] = ()
    unreachable: tuple[str, ...] = ()
    links: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    rest: tuple[str, ...] = ()
    dropped: tuple[str, ...] = ()
    ambiguous: tuple[str, ...] = ()
    others: Neighbours = Neighbours()
    closed: Mapping[str, str] = {}

    @property
    def has_master(self) -> bool:
        """Whether the master database exists."""
        return self.repository.master in self.coverage.paths


def read_inventory(repository: Repository, host: Host, also: Iterable[str] = ()) -> Inventory:
    """Compare a repository's directory with its manifest.

    Args:
        repository: the repository.
        host: where it is.
        also: paths that count as listed, unless the manifest lists them as dropped, or another
            repository lists them.

    Raises:
        RepositoryIncomplete: the manifest is damaged, so that it is not known what it listed.
    """
    recorded, entries = host.together(
        lambda: read_manifest(repository, host),
        lambda: host.list_directory(repository.directory),
    )
    return set_against(repository, host, recorded, entries, also)


def set_against(
    repository: Repository,
    host: Host,
    recorded: Manifest | None,
    entries: Iterable[Entry],
    also: Iterable[str] = (),
    leading_to: Iterable[str] = (),
) -> Inventory:
    """Compare a repository's directory with a manifest that was read already.

    Args:
        repository: the repository.
        host: where it is.
        recorded: what its manifest says; None if there is none.
        entries: what is in its directory.
        also: as for `read_inventory`.
        leading_to: paths that are not its databases, but that other repositories may list.
    """
    names = dict.fromkeys(map(repository.path_of, recorded.names if recorded else ()))
    dropped = {repository.path_of(name) for name in (recorded.dropped if recorded else ())}
    dropped.discard(repository.master)  # even if a copied manifest lists it
    added = [path for path in also if path not in dropped]
    at = _by_path(repository.directory, entries)
    (elsewhere, closed), known = host.together(
        lambda: _elsewhere(repository, [*names, *dropped, *added, *leading_to], host),
        lambda: _looked_at(names, at, host),
    )
    suffixes = _suffixes([repository.master, *names, *added])
    others = find_neighbours(repository, recorded, {**elsewhere, **at}, suffixes, host)
    theirs = others.listed
    listed = names | dict.fromkeys(path for path in added if path not in theirs)
    not_ours = (theirs | dropped).difference(listed)
    found = {p: e for p, e in at.items() if repository.owns(e.name) and p not in not_ours}
    found |= _looked_at(listed, {**at, **known}, host)
    files = [Database(path, entry.size) for path, entry in found.items() if entry.kind == "file"]
    coverage = compare(repository.master, files, listed)
    alike = _look_alikes(at, suffixes) - found.keys() - not_ours
    made = Inventory(
        repository,
        host.name,
        coverage._replace(missing=_of_kind(found, "missing", listed)),
        recorded,
        directories=_of_kind(found, "directory", found.keys() - listed.keys()),
        unreachable=_of_kind(found, "other", found) + _of_kind(found, "directory", listed),
        links=tuple(sorted(p for p, e in found.items() if e.link and e.kind == "file")),
        left_out=tuple(sorted(alike)),
        rest=_rest(at, alike.union(found, not_ours), [repository, *others.repositories]),
        dropped=tuple(sorted((dropped & at.keys()) - theirs - listed.keys())),
        ambiguous=_ambiguous(coverage.unlisted, repository, others, at),
        others=others,
        closed=closed,
    )
    _log(made)
    return made


def _log(found: Inventory) -> None:
    """Log what was found, and which repository it belongs to."""
    log.info("databases of %s: %s", shown(found.repository.master), how_many(found.coverage.paths))
    for what, paths in (
        ("not in the manifest", found.coverage.unlisted),
        ("in the manifest and not on disk", found.coverage.missing),
        ("not readable as files", found.unreachable),
        ("directories that are named like databases", found.directories),
        ("symbolic links", found.links),
        ("not taken, for their suffix", found.left_out),
        ("not taken, since they were dropped", found.dropped),
        ("of this repository or of another one", found.ambiguous),
        *(
            (f"of the repository of {shown(o.repository.master)}", o.listed)
            for o in found.others.known
        ),
    ):
        if paths:
            log.info("%s: %s", what, how_many(sorted(paths)))


def read_manifest(repository: Repository, host: Host) -> Manifest | None:
    """Return the repository's manifest, or None if there is none yet.

    Raises:
        RepositoryIncomplete: it is damaged, or a link, so that it is not known what it listed.
    """
    data = read_bytes(repository, host)
    try:
        return None if data is None else manifest.decode(data)
    except manifest.CorruptManifest as error:
        raise RepositoryIncomplete(
            f"The manifest {shown(repository.manifest)} on {host.name} is damaged at line "
            f"{error.line}, so whether a database is missing cannot be known.",
            "Make a new one of its whole lines and of what is in the directory; with -image-file "
            "HOST:PATH also of what that image holds, and with -add PATH of a database elsewhere "
            f"that only a damaged line named: {rebuild_command(repository.master, host.name)}",
        ) from None


def read_bytes(repository: Repository, host: Host) -> bytes | None:
    """Return the manifest's bytes, or None if there is none yet.

    Raises:
        RepositoryIncomplete: it is a link, or something else that is not a regular file. A link to
            nothing must not look like a missing manifest.
    """
    try:
        return host.read(repository.manifest)
    except OSError as error:
        if error.errno not in (errno.ELOOP, errno.EINVAL, errno.EFBIG):
            raise
        raise RepositoryIncomplete(
            f"The manifest {shown(repository.manifest)} on {host.name} cannot be read: "
            f"{reason(error)}.",
            "Put the manifest itself there. If it is lost, remove what is there, and make a "
            f"new one, with -image-file HOST:PATH: {rebuild_command(repository.master, host.name)}",
        ) from None


def _by_path(directory: str, entries: Iterable[Entry]) -> dict[str, Entry]:
    return {posixpath.join(directory, entry.name): entry for entry in entries}


def _elsewhere(
    repository: Repository, listed: Iterable[str], host: Host
) -> tuple[dict[str, Entry], dict[str, str]]:
    """Return what is in the other directories of our databases, and which cannot be listed."""
    found, closed = {}, {}
    directories = sorted({*map(posixpath.dirname, listed)} - {repository.directory})
    steps = [functools.partial(host.list_directory, directory) for directory in directories]
    for directory, entries in zip(directories, host.together(*map(postponed, steps)), strict=True):
        try:
            found.update(_by_path(directory, entries()))
        except (FileNotFoundError, NotADirectoryError):
            continue  # its databases are missing, which is reported
        except OSError as error:
            closed[directory] = reason(error)
    return found, closed


def _looked_at(listed: Iterable[str], at: Mapping[str, Entry], host: Host) -> dict[str, Entry]:
    """Return what is at each listed path; each is looked at separately."""
    rest = [path for path in listed if path not in at]
    looked = {
        path: Entry(posixpath.basename(path), one.kind, one.size, one.link)
        for path, one in zip(rest, host.stat(rest) if rest else [], strict=True)
    }
    return {path: at.get(path) or looked[path] for path in listed}


def _of_kind(found: Mapping[str, Entry], kind: Kind, paths: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(path for path in paths if found[path].kind == kind))


def _suffixes(paths: Iterable[str]) -> frozenset[str]:
    return frozenset(posixpath.splitext(path)[1].lower() for path in paths)


def _look_alikes(at: Mapping[str, Entry], suffixes: frozenset[str]) -> set[str]:
    """Return the files with the suffix of a database, in upper or lower case."""
    return {
        path
        for path, entry in at.items()
        if entry.kind == "file" and posixpath.splitext(path)[1].lower() in suffixes
    }


def _rest(
    at: Mapping[str, Entry], known: set[str], repositories: Iterable[Repository]
) -> tuple[str, ...]:
    """Return the other files in the directory, except those of this plugin."""
    own = tuple(f"{one.master}." for one in repositories)
    return tuple(
        sorted(
            path
            for path, entry in at.items()
            if entry.kind == "file" and path not in known and not path.startswith(own)
        )
    )


def _ambiguous(
    unlisted: Iterable[str], repository: Repository, others: Neighbours, at: Mapping[str, Entry]
) -> tuple[str, ...]:
    """Return the files that could belong to another master database in the directory, too."""
    rivals = [
        other
        for other in others.known
        if other.repository.master in at and at[other.repository.master].kind == "file"
    ]
    return tuple(
        path
        for path in unlisted
        if path != repository.master
        and any(
            other.repository.owns(posixpath.basename(path)) and path not in other.dropped
            for other in rivals
        )
    )
