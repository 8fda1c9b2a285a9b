"""Protect an image while it is read: lock its receipt, which a removal renames first."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from csf_backup_plugin.image.without_receipt import without_receipt

if TYPE_CHECKING:
    from collections.abc import Iterator

    from csf_backup_plugin.hosts.protocol.host import Host
    from csf_backup_plugin.image.contents import Contents


@contextlib.contextmanager
def not_removed(contents: Contents, host: Host) -> Iterator[None]:
    """Protect an image while the block runs; without a readable receipt, nothing is locked.

    Args:
        contents: what was found of the image.
        host: where it is.

    Raises:
        NoReceipt: the image has been removed since `contents` was read.
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
    except OSError:  # its reader reports the error
        return False
