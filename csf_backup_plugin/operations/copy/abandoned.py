"""Remove leftovers of killed copies of other sets, if it is certain that they have ended.

The next copy usually has another name, so it does not replace them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from csf_backup_plugin.command_names import COPY
from csf_backup_plugin.errors import ImageExists, LockBusy
from csf_backup_plugin.image import copy_record
from csf_backup_plugin.image.catalog import warnings_about
from csf_backup_plugin.names import shown
from csf_backup_plugin.operations.copy.killed import check_killed, removal_sentence
from csf_backup_plugin.system_errors import reason

if TYPE_CHECKING:
    from collections.abc import Sequence

    from csf_backup_plugin.hosts.protocol.host import Host
    from csf_backup_plugin.image.catalog import Catalog, ImageSet, Skipped
    from csf_backup_plugin.image.copy_record import CopyRecord
    from csf_backup_plugin.image.path import ImagePath


_Unfinished = tuple["Skipped", "CopyRecord"]


def abandoned(newest: ImageSet, catalog: Catalog, host: Host) -> list[_Unfinished]:
    """Return the unfinished copies of a repository, each with its record.

    Args:
        newest: the copy of this run; it is not returned.
        catalog: the images in the directory.
        host: the host to work on.
    """
    there = [
        one
        for one in catalog.skipped
        if one.is_copy and one.image.directory == newest.image.directory
        if one.image != newest.image
    ]
    read = host.read_each(one.image.copying for one in there) if there else []
    records = map(copy_record.decode, read)
    own = newest.receipt.origin.id
    return [
        (one, record)
        for one, record in zip(there, records, strict=True)
        if record and record.repository_id == own
    ]


def remove_abandoned(found: Sequence[_Unfinished], host: Host) -> tuple[list[str], list[str]]:
    """Remove the leftovers of killed copies; leave a copy alone that may still be running.

    Args:
        found: the unfinished copies, each with its record.
        host: the host to work on.

    Returns:
        What was removed, and warnings about what was not; each is a part of a sentence.
    """
    done: list[str] = []
    warnings: list[str] = []
    for one, record in found:
        try:
            became = _remove(one.image, record, host)
        except OSError as error:
            warnings.append(
                f"{one.image} is {record} that was killed, and is not all removed: "
                f"{reason(error)}; {shown(one.image.copying)} stays until it is"
            )
            continue
        if became == "removed":
            done.append(removal_sentence(one.image, record))
        elif became == "stays":
            warnings += warnings_about([one])
    return done, warnings


def _remove(
    image: ImagePath, record: CopyRecord, host: Host
) -> Literal["removed", "stays", "finished"]:
    """Remove the files of a copy, its record last, unless the copy may still be running."""
    try:
        with host.lock(image.copying, COPY, 0, lambda _: None, create=False) as lock:
            if lock is None:
                return "finished"
            check_killed(image, record.backup, lock, host)
            host.remove(image.unfinished_copy)
    except (LockBusy, ImageExists):
        return "stays"
    return "removed"
