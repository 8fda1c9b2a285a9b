"""An image that is not removed while it is read: its receipt is held, which goes first."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from csf_backup_plugin.image.without_receipt import without_receipt

if TYPE_CHECKING:
    from collections.abc import Iterator

    from csf_backup_plugin.hosts.protocol import Host
    from csf_backup_plugin.image.contents import Contents


@contextlib.contextmanager
def not_removed(contents: Contents, host: Host) -> Iterator[None]:
    """Keep an image while the block runs; one without a receipt that can be read is not held.

    Args:
        contents: what was found of the image.
        host: where it is.

    Raises:
        NoReceipt: it has been removed since that was found.
        LockBusy: another command is about to remove it.
    """
    with contextlib.ExitStack() as stack:
        if _has_receipt(contents):
            try:
                stack.enter_context(host.reading(contents.image.receipt))
            except FileNotFoundError:
                raise without_receipt(contents.image, host) from None
        yield


def _has_receipt(contents: Contents) -> bool:
    try:
        return contents.receipt() is not None
    except OSError:  # whoever reads it tells
        return False
