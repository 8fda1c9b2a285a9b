"""How each of many images was drilled and verified last, by the records beside them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from csf_backup_plugin.image import sealed_json
from csf_backup_plugin.image.check_record import read_check

if TYPE_CHECKING:
    from collections.abc import Sequence

    from csf_backup_plugin.hosts.protocol import Host
    from csf_backup_plugin.image.catalog import Catalog, ImageSet
    from csf_backup_plugin.image.check_record import Check


class LastChecks(NamedTuple):
    """What is known of an image by its records.

    Attributes:
        drilled: its last drill; None if there was none.
        verified: its last verification, likewise.
    """

    drilled: Check | None
    verified: Check | None


def read_last_checks(sets: Sequence[ImageSet], catalog: Catalog, host: Host) -> list[LastChecks]:
    """Return what is known of each image; the records of all are read at once.

    Args:
        sets: the images.
        catalog: what stands beside them.
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
