"""Further facts about paths: their disks, their mounts, their free space."""

from __future__ import annotations

from typing import TYPE_CHECKING

from csf_backup_plugin.hosts import raid
from csf_backup_plugin.hosts.mountinfo import Mounts, parse
from csf_backup_plugin.hosts.protocol.values import Facts

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from csf_backup_plugin.hosts.protocol.values import Stat
    from csf_backup_plugin.hosts.raid import Disks

_FIELDS = 4


def detailed(stats: Sequence[Stat], fields: Sequence[str]) -> list[Facts]:
    """Return the facts about some paths.

    Args:
        stats: what is at each path.
        fields: what `look_at` of `looking.sh` prints about them.
    """
    *told, mountinfo = fields
    end = _FIELDS * len(stats)
    rows = (told[at : at + _FIELDS] for at in range(0, end, _FIELDS))
    disks = dict(zip(map(int, told[end::2]), map(raid.parse, told[end + 1 :: 2]), strict=True))
    mounts = parse(mountinfo)
    return [_facts(stat, mounts, disks, *row) for stat, row in zip(stats, rows, strict=True)]


def _facts(
    stat: Stat,
    mounts: Mounts,
    disks_on: Mapping[int, Disks],
    resolved: str,
    writable: str,
    blocks: str,
    size: str,
) -> Facts:
    if stat.device < 0:
        return Facts(stat.kind, resolved)
    disks = disks_on.get(stat.device, raid.parse(""))
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
