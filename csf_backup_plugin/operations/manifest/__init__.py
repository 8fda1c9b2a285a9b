"""Change a manifest: rebuild it from what is on disk, or add and drop databases."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from csf_backup_plugin.advised_commands import (
    PLAIN_MANIFEST,
    drop_and_copied_commands,
    drop_command,
)
from csf_backup_plugin.command_names import MANIFEST
from csf_backup_plugin.errors import UsageError, WrongRepository
from csf_backup_plugin.names import IN_JSON, has_control_character, listed, shown
from csf_backup_plugin.operations.manifest.new_identity import new_identity, read_source
from csf_backup_plugin.repository import manifest, manifest_store
from csf_backup_plugin.repository.completeness import check_readable
from csf_backup_plugin.repository.inventory import read_bytes, read_manifest, set_against
from csf_backup_plugin.repository.location import locate, look_at_repository, resolved_paths
from csf_backup_plugin.repository.lock_warnings import unlocked_warnings
from csf_backup_plugin.repository.manifest import Manifest
from csf_backup_plugin.repository.manifest_lines import encode_lines
from csf_backup_plugin.repository.model import Repository
from csf_backup_plugin.system_errors import translated

if TYPE_CHECKING:
    from collections.abc import Iterable

    from csf_backup_plugin.hosts.protocol.host import Host
    from csf_backup_plugin.hosts.protocol.values import Machine
    from csf_backup_plugin.operations.manifest.request import ManifestChange
    from csf_backup_plugin.progress_listener import Listener
    from csf_backup_plugin.repository.identity import Identity
    from csf_backup_plugin.repository.inventory import Inventory


class ChangedManifest(NamedTuple):
    """A manifest that was changed.

    Attributes:
        found: what is on disk, compared with the new manifest.
        rebuilt: whether it was rebuilt.
        added: the paths that the manifest lists now and did not list before.
        dropped: the paths that the manifest listed before and does not list now.
        absent: the paths in the given image that are not on disk.
        damaged: the numbers of the old manifest's lines that could not be read, from 1.
        kept: the path of the old manifest, which is kept if a line of it could not be read.
        identity: the repository's identity; None if the next backup is to find it.
        warnings: what the user should know.
    """

    found: Inventory
    rebuilt: bool
    added: tuple[str, ...] = ()
    dropped: tuple[str, ...] = ()
    absent: tuple[str, ...] = ()
    damaged: tuple[int, ...] = ()
    kept: str | None = None
    identity: Identity | None = None
    warnings: tuple[str, ...] = ()


def change_manifest(
    named: Repository, change: ManifestChange, wait: float, host: Host, listener: Listener
) -> ChangedManifest:
    """Rebuild a manifest, or add databases to it or drop them from it.

    Args:
        named: the repository, as the user named it.
        change: what to change.
        wait: how long to wait for the repository's lock, in seconds.
        host: the host to work on.
        listener: gets a note if the command has to wait.

    Raises:
        BackupError: the manifest was not changed.
    """
    with translated(host.name):
        repository = locate(named, look_at_repository(named, host), host, listener.note)
        with host.lock(repository.lock, MANIFEST, wait, listener.note) as lock:
            recorded = None if change.rebuild else read_manifest(repository, host)
            if recorded is None:
                changed = _rebuild(repository, change, host.machine(), host, listener)
            else:
                changed = _append(repository, change, recorded, host)
            warnings = (*changed.warnings, *unlocked_warnings(lock, repository))
    return changed._replace(warnings=warnings)


def _append(
    repository: Repository, change: ManifestChange, recorded: Manifest, host: Host
) -> ChangedManifest:
    """Append lines for the added and dropped databases, except those recorded already."""
    add, drop = _names(repository, change, recorded, host)
    add = [name for name in add if name not in recorded.names]
    drop = [name for name in drop if name not in recorded.dropped]
    entries = host.list_directory(repository.directory)
    found = set_against(repository, host, _meant(recorded, add, drop), entries)
    _check_not_anothers(found, map(repository.path_of, add))
    if add or drop:
        host.append(repository.manifest, manifest.dropped_lines(drop) + encode_lines(add))
    return ChangedManifest(
        found,
        rebuilt=False,
        added=tuple(map(repository.path_of, add)),
        dropped=tuple(map(repository.path_of, drop)),
        identity=recorded.identity,
    )


def _rebuild(
    repository: Repository,
    change: ManifestChange,
    machine: Machine,
    host: Host,
    listener: Listener,
) -> ChangedManifest:
    """Write a new manifest: the databases in the directory, and known ones that exist elsewhere."""
    data = read_bytes(repository, host)
    recorded = Manifest() if data is None else manifest.salvage(data)
    source = None
    if change.image:
        source = read_source(change.image, repository, recorded, machine, host, listener)
    identity, backups, known = new_identity(repository, change, recorded, source, machine, host)
    add, drop = _names(repository, change, recorded, host)
    imaged = map(repository.path_of, source.receipt.names if source else ())
    meant = _meant(recorded, add, drop)
    found = set_against(repository, host, meant, host.list_directory(repository.directory), imaged)
    _check_not_anothers(found, map(repository.path_of, add))
    if change.home == "copied" and recorded.identity:
        _check_not_the_originals(found, Repository(recorded.identity.master))
    # Names with control characters cannot be recorded; the next backup asks to rename the file.
    left = {*found.ambiguous, *filter(has_control_character, found.coverage.paths)}
    names = [repository.recorded(p) for p in found.coverage.paths if p not in left]
    # The number `known` shows a later rotation that the manifest was rebuilt.
    known = max(known, *backups.values(), 0)
    new = manifest.encode(names, identity, backups, meant.dropped, known)
    kept = None
    with translated(host.name):
        if data is not None and (recorded.damaged or recorded.cut_short):
            kept, warnings = manifest_store.supersede(repository, data, new, host)
        else:
            warnings = manifest_store.replace(repository, new, host)
    before = {*recorded.names}
    missing = found.coverage.missing
    return ChangedManifest(
        found,
        rebuilt=True,
        added=tuple(repository.path_of(name) for name in names if name not in before),
        dropped=tuple(map(repository.path_of, sorted(before.difference(names)))),
        absent=tuple(path for path in missing if repository.recorded(path) not in before),
        damaged=recorded.damaged,
        kept=kept,
        identity=identity,
        warnings=(*(source.warnings if source else ()), *warnings),
    )


def _meant(recorded: Manifest, add: Iterable[str], drop: Iterable[str]) -> Manifest:
    """Return the contents of the new manifest."""
    added, dropped = dict.fromkeys(add), dict.fromkeys(drop)
    names = [name for name in dict.fromkeys([*recorded.names, *added]) if name not in dropped]
    gone = [name for name in dict.fromkeys([*recorded.dropped, *dropped]) if name not in added]
    return recorded._replace(names=tuple(names), dropped=tuple(gone))


def _names(
    repository: Repository, change: ManifestChange, recorded: Manifest, host: Host
) -> tuple[list[str], list[str]]:
    """Return the names to add and the names to drop, as the manifest records them.

    Raises:
        UsageError: a path to add is not a file, or one to drop is neither listed nor on disk.
    """
    add = resolved_paths(change.add, host)
    drop = resolved_paths(change.drop, host)
    at = dict(zip([*add, *drop], host.stat([*add, *drop]), strict=True))
    if no_files := [path for path in add if at[path].kind != "file"]:
        raise UsageError(
            f"On {host.name} there are no such files to add: {listed(no_files, IN_JSON)}.",
            "Give -add as the absolute path of a database that is on disk.",
            {"databases": no_files},
        )
    if repository.master in drop:
        raise UsageError(
            f"{shown(repository.master)} is the master database, so it cannot be dropped from its "
            "own manifest.",
            f"If it is not a master database, remove {shown(repository.manifest)}.",
        )
    dropped = [repository.recorded(path) for path in drop]
    nowhere = [
        path
        for path, name in zip(drop, dropped, strict=True)
        if name not in recorded.names and at[path].kind == "missing"
    ]
    # Without an identity, an image's receipt may list paths that the manifest does not.
    if nowhere and recorded.identity:
        raise UsageError(
            f"Neither in {shown(repository.manifest)} nor on disk on {host.name}: "
            f"{listed(nowhere, IN_JSON)}.",
            f"Give -drop as the path that {PLAIN_MANIFEST} shows.",
            {"databases": nowhere},
        )
    return [repository.recorded(path) for path in add], dropped


def _check_not_anothers(found: Inventory, added: Iterable[str]) -> None:
    """Refuse to add databases that another repository's manifest lists, or may list."""
    paths = [*added]
    if paths:
        check_readable(found)
    for other in found.others.known:
        if theirs := [path for path in paths if path in other.listed]:
            raise WrongRepository(
                f"The manifest of another repository, {shown(other.repository.master)} on "
                f"{found.host}, lists {listed(theirs, IN_JSON)}.",
                f"Drop it there first: {drop_command(other.repository.master, found.host, theirs)}",
                {"databases": theirs},
            )


def _check_not_the_originals(found: Inventory, original: Repository) -> None:
    """Refuse a copy if its manifest lists databases of its original.

    Once the copy has an id of its own, nothing shows any more whose databases they are.
    """
    for other in found.others.known:
        theirs = [path for path in found.coverage.paths if path in other.listed]
        if other.repository == original and theirs:
            raise WrongRepository(
                f"{shown(found.repository.master)} on {found.host} is a copy of "
                f"{shown(original.master)}, whose manifest lists {len(theirs):,} of its databases: "
                f"{listed(theirs, IN_JSON)}. They were not copied.",
                "Drop them from the copy's manifest: "
                + drop_and_copied_commands(found.repository.master, found.host, theirs),
                {"databases": theirs},
            )
