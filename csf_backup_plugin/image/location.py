"""Where an image really is: links and ``..`` in its directory are followed once, and told."""

from __future__ import annotations

import dataclasses
import posixpath
from typing import TYPE_CHECKING

from csf_backup_plugin.names import shown

if TYPE_CHECKING:
    from csf_backup_plugin.hosts.protocol import Facts
    from csf_backup_plugin.image.path import ImagePath
    from csf_backup_plugin.repository.location import Note


def locate_image(image: ImagePath, at: Facts, note: Note) -> ImagePath:
    """Return an image by the resolved path of its directory; that need not be there.

    Args:
        image: as the user named it.
        at: the facts on its directory.
        note: told of a path that is another one than was named.
    """
    path = posixpath.join(at.resolved, posixpath.basename(image.path))
    if at.kind != "directory" or path == image.path:
        return image
    note(f"{image} is {image.host}:{shown(path)}")
    return dataclasses.replace(image, path=path)
