"""The resolved path of an image: links and ``..`` in its directory are resolved once, and shown."""

from __future__ import annotations

import dataclasses
import posixpath
from typing import TYPE_CHECKING

from csf_backup_plugin.names import shown

if TYPE_CHECKING:
    from csf_backup_plugin.hosts.protocol.values import Facts
    from csf_backup_plugin.image.path import ImagePath
    from csf_backup_plugin.repository.location import Note


def locate_image(image: ImagePath, at: Facts, note: Note) -> ImagePath:
    """Return an image with its directory's path resolved; the directory need not exist.

    Args:
        image: as the user named it.
        at: the facts on its directory.
        note: called with a sentence if the resolved path differs from the named one.
    """
    path = posixpath.join(at.resolved, posixpath.basename(image.path))
    if at.kind != "directory" or path == image.path:
        return image
    note(f"{image} is {image.host}:{shown(path)}")
    return dataclasses.replace(image, path=path)
