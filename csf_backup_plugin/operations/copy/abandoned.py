"""Remove leftovers of killed copies of other sets, if it is certain that they have ended.

The next copy usually has another name, so it does not replace them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from csf_backup_plugin.command_names import COPY
from csf_backup_plugin.errors import LockBusy
from csf_backup_plugin.image import copy_record
from csf_backup_plugin.image.catalog import told
from csf_backup_plugin.names import shown
from csf_backup_plugin.system_errors import reason

if TYPE_CHECKING:
    from collections.abc import Sequence

    from csf_backup_plugin.hosts.protocol.host import Host
    from csf_backup_plugin.image.catalog import Catalog, ImageSet, PassedOver
    from csf_backup_plugin.image.copy_record import CopyRecord


_Unfinished = tuple["PassedOver", "CopyRecord"]


def abandoned(newest: ImageSet, catalog: Catalog, host: Host) -> list[_Unfinished]:
    """Return the unfinished copies of a repository, each with its record.

    Args:
        newest: the copy of this run; it is not returned.
        catalog: the images in the directory.
        host: the host to work on.
    """
    there = [
        one
        for one in catalog.passed_over
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
    removed: list[str] = []
    warnings: list[str] = []
    for one, record in found:
        try:
            became = _removed(one, record, host)
        except OSError as error:
            warnings.append(
                f"{one.image} is {record} that was killed, and is not all removed: "
                f"{reason(error)}; {shown(one.image.copying)} stays until it is"
            )
            continue
        if became == "removed":
            removed.append(f"{record} was killed, and what it had left of {one.image} was removed")
        elif became == "stays":
            warnings += told([one])
    return removed, warnings


def _removed(
    one: PassedOver, record: CopyRecord, host: Host
) -> Literal["removed", "stays", "finished"]:
    """Remove the files of a copy, its record last, unless the copy may still be running."""
    image = one.image
    made = [image.arriving, image.path, image.import_file, image.copying]
    others = [path for path in image.whole_set if path not in made]
    try:
        with host.lock(image.copying, COPY, 0, lambda _: None, create=False) as lock:
            if lock is None:
                return "finished"
            if lock.unsupported or copy_record.read(image, host) != record:
                return "stays"
            if any(at.kind != "missing" for at in host.stat(others)):
                return "stays"  # a receipt, or a file that no copy makes
            host.remove(made)
    except LockBusy:
        return "stays"
    return "removed"
