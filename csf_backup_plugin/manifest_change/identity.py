"""Which repository a manifest that is made anew is of, and which number its last backup had."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING, NamedTuple

from csf_backup_plugin import manifest
from csf_backup_plugin.advice import rebuild_command
from csf_backup_plugin.catalog import read_listable_catalog
from csf_backup_plugin.errors import UsageError, WrongRepository
from csf_backup_plugin.identity import Identity
from csf_backup_plugin.manifest import Manifest
from csf_backup_plugin.names import shown
from csf_backup_plugin.newest import choose
from csf_backup_plugin.proven import read_receipt
from csf_backup_plugin.repository import Repository
from csf_backup_plugin.wanted import Wanted

if TYPE_CHECKING:
    from collections.abc import Mapping

    from csf_backup_plugin.hosts.protocol import Host, Machine
    from csf_backup_plugin.image_path import ImagePath
    from csf_backup_plugin.manifest_change.request import ManifestChange
    from csf_backup_plugin.proven import Proven
    from csf_backup_plugin.watcher import Watcher


class Source(NamedTuple):
    """An image that a manifest is made of.

    Attributes:
        image: which.
        proven: what its receipt says.
        number: the highest number of its repository that is known.
        warnings: what was passed over when it was looked for.
    """

    image: ImagePath
    proven: Proven
    number: int
    warnings: tuple[str, ...]


def read_source(
    named: ImagePath,
    repository: Repository,
    recorded: Manifest,
    machine: Machine,
    host: Host,
    watcher: Watcher,
) -> Source:
    """Read the image that a manifest is to be made of.

    Args:
        named: which, as the user named it.
        repository: whose manifest.
        recorded: what that says now.
        machine: the host.
        host: the same.
        watcher: told of a path that is another one than was named.

    Raises:
        FaultFound: its receipt cannot be used.
    """
    wanted = Wanted(repository, recorded.identity)
    chosen = choose(named, wanted, machine, host, watcher.note)
    proven = read_receipt(chosen.image, host)
    catalog, unlisted = read_listable_catalog(chosen.image, host)
    number = max(catalog.number(proven.origin.id), proven.origin.number or 0)
    warnings = (*chosen.findings, *chosen.warnings, *unlisted)
    return Source(chosen.image, proven, number, warnings)


def _check_moved(repository: Repository, own: Identity, host: Host) -> None:
    """Refuse to call a repository moved that still is where it was: two would have one id.

    Raises:
        WrongRepository: it is a copy.
    """
    if own.master == repository.master:
        return
    original = Repository(own.master)
    data = host.read(original.manifest)
    theirs = manifest.salvage(data) if data else Manifest()
    same = theirs.identity and theirs.identity.id == own.id
    if same or (theirs.damaged and not theirs.identity):
        raise WrongRepository(
            f"{shown(repository.master)} on {host.name} was not moved: the repository with the id "
            f"{own.id} is still at {shown(original.master)}, where it came from.",
            f"Give -copied instead: {rebuild_command(repository, host.name, '-copied')}\n"
            f"If that one is not in use any more, remove {shown(original.manifest)} first.",
        )


def new_identity(
    repository: Repository,
    change: ManifestChange,
    recorded: Manifest,
    source: Source | None,
    machine: Machine,
    host: Host,
) -> tuple[Identity | None, Mapping[str, int], int]:
    """Return the repository's identity, the numbers of its backups by image, and the highest known.

    Args:
        repository: whose manifest.
        change: what is to be changed in it.
        recorded: what it says now.
        source: the image that it is to be made of, if any.
        machine: the host.
        host: the same.

    Returns:
        No identity where nothing tells one: the next backup looks for it, or makes one.

    Raises:
        WrongRepository: the image is another repository's, or it has not moved.
        UsageError: it is said to have moved, and nothing tells what it was.
    """
    imaged = _imaged(repository, change, recorded, source) if source else None
    identity, known = recorded.identity or imaged, recorded.known
    if change.home == "copied":
        return Identity.new(machine, repository.master), {}, 0
    if change.home == "moved":
        if identity is None:
            raise UsageError(
                f"Nothing tells which repository {shown(repository.master)} was before it moved.",
                "Give -image-file HOST:PATH, an image of it, too; or leave -moved out.",
            )
        _check_moved(repository, identity, host)
        identity = identity.moved(machine, repository.master)
    if source and identity and identity.id == source.proven.origin.id:
        known = max(known, source.number)
    return identity, recorded.backups, known


def _imaged(
    repository: Repository, change: ManifestChange, recorded: Manifest, source: Source
) -> Identity | None:
    """Return the identity that an image tells; none while it may be a copy's."""
    proven, own = source.proven, recorded.identity
    identity = proven.origin.identity(proven.master)
    same_id = own is None or identity is None or own.id == identity.id
    same_place = proven.master == repository.master or change.home is not None
    same_name = posixpath.basename(proven.master) == repository.name
    if not (same_name and same_id and (same_place or own is not None)):
        raise WrongRepository(
            f"{source.image} is an image of {shown(proven.master)}, repository "
            f"{proven.origin.id or 'unknown'}; {shown(repository.master)} is another one"
            + (f", repository {own.id}." if own else "."),
            "Name an image of this repository. If it was moved or copied here since that image was "
            "made, give -moved or -copied, too.",
        )
    return identity if proven.origin.settled or change.home == "moved" else None
