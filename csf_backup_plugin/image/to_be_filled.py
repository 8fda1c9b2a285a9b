"""Tell whether a rotation uses a directory and has not filled a place in it yet."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING

from csf_backup_plugin.image import sealed_json
from csf_backup_plugin.image.place import PLACES
from csf_backup_plugin.image.promise_name import promise_name, promised

if TYPE_CHECKING:
    from csf_backup_plugin.hosts.protocol.host import Host
    from csf_backup_plugin.image.catalog import Catalog
    from csf_backup_plugin.image.path import ImagePath
    from csf_backup_plugin.image.wanted_repository import Wanted


def is_to_be_filled(top: ImagePath, catalog: Catalog, wanted: Wanted | None, host: Host) -> bool:
    """Tell whether the first image of a directory is still to come.

    With several directories, the first rotations fill only some of them. If one repository is
    wanted, the rotation must be its own: a repository without a known id has none. In a directory
    that other repositories share, its own rotation has not filled a place yet if it has made fewer
    backups than it has directories.

    Args:
        top: ``latest`` of the directory.
        catalog: what is in it; no image of the wanted repository.
        wanted: the repository; None for all of them.
        host: where the directory is.
    """
    names = {*map(posixpath.basename, catalog.entries)}
    users = {*map(promised, names)} - {""}
    if wanted:
        users &= {wanted.identity.id} if wanted.identity else set()
    if not users or names.isdisjoint(PLACES):
        return bool(users)
    return wanted is not None and 0 < wanted.number < len(
        rotation_directories(top, *users, host=host)
    )


def rotation_directories(top: ImagePath, repository: str, *, host: Host) -> list[str]:
    """Return the image directories of a repository's rotation, as its promise lists them.

    Args:
        top: ``latest`` of the directory with the promise.
        repository: the repository's id.
        host: where the directory is.

    Returns:
        An empty list if they are not known.
    """
    path = posixpath.join(top.directory, promise_name(repository))
    (data,) = host.read_each([path])
    try:
        facts = sealed_json.decode(data if isinstance(data, bytes) else b"", sealed_json.PROMISE)
    except sealed_json.UnusableDocument:
        return []
    directories = facts.get("image_directories")
    return directories if isinstance(directories, list) else []
