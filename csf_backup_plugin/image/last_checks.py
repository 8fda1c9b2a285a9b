"""The last drill and the last verification of each of many images, from their records."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from csf_backup_plugin.image import sealed_json
from csf_backup_plugin.image.check_record import read_check

if TYPE_CHECKING:
    from collections.abc import Sequence

    from csf_backup_plugin.hosts.protocol.host import Host
    from csf_backup_plugin.image.catalog import Catalog, ImageSet
    from csf_backup_plugin.image.check_record import Check


class LastChecks(NamedTuple):
    """The last checks of an image.

    Attributes:
        drilled: its last drill; None if there was none.
        verified: its last verification; None if there was none.
    """

    drilled: Check | None
    verified: Check | None


def read_last_checks(sets: Sequence[ImageSet], catalog: Catalog, host: Host) -> list[LastChecks]:
    """Return the last checks of each image; all records are read in one exchange.

    Args:
        sets: the images.
        catalog: the catalog of their directories.
        host: where they are.
    """
    paths = [path for one in sets for path in (one.image.drill, one.image.verification)]
    there = [path for path in paths if path in catalog.entries]
    read = dict(zip(there, host.read_each(there) if there else [], strict=True))
    return [
        LastChecks(
            read_check(read.get(one.image.drill), sealed_json.DRILL, one.receipt),
            read_check(read.get(one.image.verification), sealed_json.VERIFICATION, one.receipt),
        )
        for one in sets
    ]
