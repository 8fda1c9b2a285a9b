"""A directory that its rotation has not filled yet, while other directories have images."""

from __future__ import annotations

import contextlib
import posixpath
from typing import TYPE_CHECKING

from csf_backup_plugin.errors import FaultFound, WrongRepository
from csf_backup_plugin.image.catalog import read_catalog
from csf_backup_plugin.image.latest import Newest, find_newest
from csf_backup_plugin.image.path import LATEST, ImagePath
from csf_backup_plugin.image.to_be_filled import is_to_be_filled, rotation_directories

if TYPE_CHECKING:
    from csf_backup_plugin.hosts.protocol.host import Host
    from csf_backup_plugin.hosts.protocol.values import Machine
    from csf_backup_plugin.image.wanted_repository import Wanted


def newest_elsewhere(top: ImagePath, wanted: Wanted, machine: Machine, host: Host) -> Newest | None:
    """Return the newest image of a repository whose rotation has not filled a directory yet.

    Args:
        top: ``latest`` of the directory; it has no image of the repository.
        wanted: the repository.
        machine: what the host says of itself.
        host: the host to work on.

    Returns:
        The newest image in the other directories of the rotation, with warnings about the first
        directory. None if none is found there, or if images of the first one may be damaged.
    """
    catalog = read_catalog(top, host)
    is_damaged = any(one.has_receipt for one in catalog.skipped_for(wanted.master))
    identity = wanted.identity
    if identity is None or is_damaged or not is_to_be_filled(top, catalog, wanted, host):
        return None
    found: list[Newest] = []
    for directory in rotation_directories(top, identity.id, host=host):
        latest = ImagePath(top.host, posixpath.join(directory, LATEST))
        with contextlib.suppress(FaultFound, WrongRepository, OSError):
            found.append(find_newest(latest, wanted, machine, host))
    newest = max(found, key=_number, default=None)
    return newest and Newest(
        newest.image, notes=tuple(catalog.warnings(wanted.master)), sets=newest.sets
    )


def _number(newest: Newest) -> int:
    return newest.sets[0].receipt.origin.number or 0
