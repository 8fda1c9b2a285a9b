"""The last steps of a proven backup: its receipt, its manifest entry, and the cleanup."""

from __future__ import annotations

from typing import TYPE_CHECKING

from csf_backup_plugin.errors import BackupError
from csf_backup_plugin.hosts.cleanup import not_removed
from csf_backup_plugin.hosts.protocol.steps import Publish, Release, RemoveTrees
from csf_backup_plugin.repository import manifest_store
from csf_backup_plugin.system_errors import HalfDone

if TYPE_CHECKING:
    from csf_backup_plugin.hosts.protocol.host import Host
    from csf_backup_plugin.image.path import ImagePath
    from csf_backup_plugin.operations.backup.rollback import Created
    from csf_backup_plugin.repository.inventory import Inventory


def complete(
    image: ImagePath, receipt: bytes, found: Inventory, created: Created, host: Host
) -> list[str]:
    """Write the receipt, remove the run record, complete the manifest, and release the lock.

    The host does all of it in one exchange, and stops at the first step that fails.

    Args:
        image: the image that is proven.
        receipt: the bytes of its receipt.
        found: the repository, with the databases that its manifest may not list yet.
        created: has the lock; gets the receipt's path if the receipt may have been written.
        host: the host to work on.

    Returns:
        Warnings about the steps after the receipt: the backup succeeds even if they fail.

    Raises:
        OSError: the receipt cannot be written.
    """
    lock = created.lock
    releases = [Release(lock)] if lock and not lock.is_left else []
    try:
        published, removed, *rest = host.in_turn(
            Publish(image.receipt, receipt),
            RemoveTrees((image.run,)),
            *manifest_store.recording(found),
            *releases,
        )
        published()
    except (BackupError, HalfDone):  # the receipt may have been written
        created.append(image.receipt)
        raise
    try:
        removed()
    except OSError as error:
        return [not_removed(image.run, error), *manifest_store.record(found, host)]
    try:
        for done in rest:
            done()
    except OSError as error:
        return [manifest_store.not_updated(found, error)]
    return []
