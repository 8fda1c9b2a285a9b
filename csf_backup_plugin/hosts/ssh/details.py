"""What is to be known of a directory besides: its disks, its mount, its free space."""

from __future__ import annotations

from typing import TYPE_CHECKING

from csf_backup_plugin.hosts import raid
from csf_backup_plugin.hosts.mountinfo import Mounts, parse
from csf_backup_plugin.hosts.protocol import Facts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from csf_backup_plugin.hosts.protocol import Stat

_FIELDS = 5


def detailed(stats: Sequence[Stat], fields: Sequence[str]) -> list[Facts]:
    """Return the facts on some paths.

    Args:
        stats: what stands at each.
        fields: what `look_at` of `looking.sh` tells of these.
    """
    *told, mountinfo = fields
    rows = (told[at : at + _FIELDS] for at in range(0, len(told), _FIELDS))
    mounts = parse(mountinfo)
    return [_facts(stat, mounts, *row) for stat, row in zip(stats, rows, strict=True)]


def _facts(
    stat: Stat, mounts: Mounts, resolved: str, writable: str, blocks: str, size: str, told: str
) -> Facts:
    if stat.device < 0:
        return Facts(stat.kind, resolved)
    disks = raid.parse(told)
    return Facts(
        stat.kind,
        resolved,
        device=stat.device,
        inode=stat.inode,
        writable=bool(writable),
        free=int(blocks) * int(size),
        disks=disks.all,
        vital=disks.vital,
    ).on(mounts.at(resolved))
