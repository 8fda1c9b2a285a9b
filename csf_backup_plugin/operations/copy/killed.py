"""What killed copies have left, and whether it is certain that they have ended."""

from __future__ import annotations

from typing import TYPE_CHECKING

from csf_backup_plugin.errors import ImageExists
from csf_backup_plugin.image import copy_record
from csf_backup_plugin.names import shown
from csf_backup_plugin.operations.copy.target import check_free

if TYPE_CHECKING:
    from csf_backup_plugin.hosts.protocol.host import Host
    from csf_backup_plugin.hosts.protocol.locking import Lock
    from csf_backup_plugin.image.copy_record import CopyRecord
    from csf_backup_plugin.image.path import ImagePath


def bytes_left(image: ImagePath, backup: tuple[object, ...], host: Host) -> int | None:
    """Return the bytes of an unfinished copy of the same set, killed or running.

    Args:
        image: the copy's path.
        backup: what identifies the set that is copied; see `CopyRecord`.
        host: where the copy is.

    Returns:
        None if there is no record of such a copy.
    """
    record = copy_record.read(image, host)
    if record is None or record.backup != backup:
        return None
    return sum(at.size for at in host.stat([image.arriving, image.path]))


def check_killed(
    image: ImagePath, backup: tuple[object, ...], lock: Lock, host: Host
) -> CopyRecord:
    """Return the record of an unfinished copy, whose files can be removed: it was killed.

    Args:
        image: the copy's path.
        backup: what identifies the set that it must be a copy of; see `CopyRecord`.
        lock: the lock of its record, which is held.
        host: where the copy is.

    Raises:
        ImageExists: it is a copy of another set, or it may still be running, or there is a file
            that no copy makes.
    """
    record = copy_record.read(image, host)
    if record is None or record.backup != backup:
        whose = str(record) if record else "a copy about which nothing is known"
        raise ImageExists(
            f"{image.host}:{shown(image.copying)} exists: {whose} was killed.",
            "Make that copy again, or remove its files; or copy to another directory.",
        )
    if lock.unsupported:
        raise ImageExists(
            f"{image.host}:{shown(image.copying)} exists: {record} is being made, or was killed; "
            f"its file system has no locks ({lock.unsupported}), so which cannot be known.",
            "If no csf makes it, remove its files, and run the same command again.",
        )
    check_free(image, image.unfinished_copy, host)
    return record


def removal_sentence(image: ImagePath, record: CopyRecord) -> str:
    """Return that the leftovers of a killed copy were removed, as a part of a sentence."""
    return f"{record} was killed, and what it had left of {image} was removed"
