"""HOST:DIR/latest: no file, but the newest verified image in the directory."""

from __future__ import annotations

import dataclasses
import posixpath
from typing import TYPE_CHECKING

from csf_backup_plugin.errors import FaultFound
from csf_backup_plugin.image_path import ImagePath
from csf_backup_plugin.names import shown
from csf_backup_plugin.proven import read_receipt

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from csf_backup_plugin.hosts.protocol import Host
    from csf_backup_plugin.proven import Proven


def resolve(
    image: ImagePath,
    host: Host,
    note: Callable[[str], object] = lambda _text: None,
    master: str | None = None,
) -> ImagePath:
    """Return the image that is meant: `image` itself, unless its name is ``latest``.

    The newest is the one whose backup began last, as its receipt says: what was done since is in
    none. The time of a file would tell when it was copied. Whether the image is still what its
    receipt says is not looked at: were it not, an older one must not be taken for the newest.

    Args:
        image: as the user named it.
        host: where it is.
        note: told of each receipt that was passed over because it is damaged.
        master: whose images alone count; None for any repository's.

    Raises:
        FaultFound: no image there has a sound receipt.
        OSError: the directory or a receipt cannot be read.
    """
    if not image.is_latest:
        return image
    found = [
        (proven.started, one)
        for one, proven in _verified(image, host, note)
        if master in (None, proven.master)
    ]
    if not found:
        of = f" of {shown(master)}" if master else ""
        raise FaultFound(
            f"{image.host}:{shown(image.directory)} holds no image{of} with a sound receipt, "
            "so there is no latest one.",
            f"Name an image, or make one: csf admin_database_backup -help; what lies in "
            f"{shown(image.directory)} without a receipt is proven by csf admin_database_verify.",
        )
    return max(found, key=lambda pair: (pair[0], pair[1].path))[1]


def _verified(
    latest: ImagePath, host: Host, note: Callable[[str], object]
) -> Iterator[tuple[ImagePath, Proven]]:
    """Yield each verified image, and what its receipt says."""
    suffix = latest.receipt.removeprefix(latest.path)
    for entry in host.list_directory(latest.directory):
        if not entry.name.endswith(suffix) or entry.kind != "file":
            continue
        name = entry.name.removesuffix(suffix)
        image = dataclasses.replace(latest, path=posixpath.join(latest.directory, name))
        try:
            yield image, read_receipt(image, host)
        except FaultFound as error:
            note(f"passed over: {error.what}")
