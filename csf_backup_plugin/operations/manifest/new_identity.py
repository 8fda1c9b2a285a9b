"""The identity and the last backup number in a rebuilt manifest."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING, NamedTuple

from csf_backup_plugin.advised_commands import rebuild_command
from csf_backup_plugin.errors import UsageError, WrongRepository
from csf_backup_plugin.hosts.postponed import postponed
from csf_backup_plugin.image.catalog import read_listable_catalog
from csf_backup_plugin.image.contents import read_contents
from csf_backup_plugin.image.latest import choose
from csf_backup_plugin.image.receipt_file import read_receipt
from csf_backup_plugin.image.wanted_repository import Wanted
from csf_backup_plugin.names import shown
from csf_backup_plugin.repository import manifest
from csf_backup_plugin.repository.identity import Identity
from csf_backup_plugin.repository.manifest import Manifest
from csf_backup_plugin.repository.model import Repository

if TYPE_CHECKING:
    from collections.abc import Mapping

    from csf_backup_plugin.hosts.protocol.host import Host
    from csf_backup_plugin.hosts.protocol.values import Machine
    from csf_backup_plugin.image.path import ImagePath
    from csf_backup_plugin.image.receipt import Receipt
    from csf_backup_plugin.operations.manifest.request import ManifestChange
    from csf_backup_plugin.progress_listener import Listener


class Source(NamedTuple):
    """An image that a manifest is rebuilt from.

    Attributes:
        image: the image.
        receipt: its receipt.
        number: the highest known backup number of the image's repository.
        warnings: warnings about sets that were skipped in the search.
    """

    image: ImagePath
    receipt: Receipt
    number: int
    warnings: tuple[str, ...]


def read_source(
    named: ImagePath,
    repository: Repository,
    recorded: Manifest,
    machine: Machine,
    host: Host,
    listener: Listener,
) -> Source:
    """Read the image that a manifest is to be rebuilt from.

    Args:
        named: the image, as the user named it.
        repository: the repository.
        recorded: what the manifest says now.
        machine: the host, and its clock.
        host: the host to work on.
        listener: gets a note if a path resolves to another one.

    Raises:
        FaultFound: its receipt cannot be used.
    """
    wanted = Wanted(repository, recorded.identity)
    (at,) = host.look([named.directory])
    chosen = choose(named, at, wanted, machine, host, listener.note)
    contents, read_catalog = host.together(
        lambda: read_contents(chosen.image, host),
        postponed(lambda: read_listable_catalog(chosen.image, host)),
    )
    receipt = read_receipt(contents, host)
    catalog, unlisted = read_catalog()
    number = max(catalog.number(receipt.origin.id), receipt.origin.number or 0)
    warnings = (*chosen.findings, *chosen.warnings, *unlisted)
    return Source(chosen.image, receipt, number, warnings)


def _check_moved(repository: Repository, own: Identity, host: Host) -> None:
    """Refuse -moved if the repository is still at its old path: two would have one id.

    Raises:
        WrongRepository: the repository is a copy, or may be one.
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
            f"Give -copied instead: {rebuild_command(repository.master, host.name, '-copied')}\n"
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
    """Return the identity, the backup numbers by image, and the highest known number.

    Args:
        repository: the repository.
        change: what to change in the manifest.
        recorded: what the manifest says now.
        source: the image to rebuild the manifest from; None if none was given.
        machine: the host, and its clock.
        host: the host to work on.

    Returns:
        The three values. The identity is None if none is found: the next backup finds it, or makes
        a new one.

    Raises:
        WrongRepository: the image belongs to another repository, or the repository was not moved.
        UsageError: -moved was given, and no earlier identity is found.
    """
    imaged = _imaged(repository, change, recorded, source) if source else None
    identity, known = recorded.identity or imaged, recorded.known
    if change.home == "copied":
        return Identity.new(machine, repository.master), {}, 0
    if change.home == "moved":
        if identity is None:
            raise UsageError(
                f"It is not known which repository {shown(repository.master)} was before it moved.",
                "Give -image-file HOST:PATH, an image of it, too; or leave -moved out.",
            )
        _check_moved(repository, identity, host)
        identity = identity.moved(machine, repository.master)
    if source and identity and identity.id == source.receipt.origin.id:
        known = max(known, source.number)
    return identity, recorded.backups, known


def _imaged(
    repository: Repository, change: ManifestChange, recorded: Manifest, source: Source
) -> Identity | None:
    """Return the identity in an image's receipt; None if the image may be that of a copy."""
    receipt, own = source.receipt, recorded.identity
    identity = receipt.origin.identity(receipt.master)
    same_id = own is None or identity is None or own.id == identity.id
    same_place = receipt.master == repository.master or change.home is not None
    same_name = posixpath.basename(receipt.master) == repository.name
    if not (same_name and same_id and (same_place or own is not None)):
        raise WrongRepository(
            f"{source.image} is an image of {shown(receipt.master)}, repository "
            f"{receipt.origin.id or 'unknown'}; {shown(repository.master)} is another one"
            + (f", repository {own.id}." if own else "."),
            "Name an image of this repository. If it was moved or copied here since that image was "
            "made, give -moved or -copied, too.",
        )
    return identity if receipt.origin.settled or change.home == "moved" else None
