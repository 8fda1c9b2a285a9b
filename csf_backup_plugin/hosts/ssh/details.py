"""Further facts about paths: their disks, their mounts, their free space."""

from __future__ import annotations

from typing import TYPE_CHECKING

from csf_backup_plugin.hosts import raid
from csf_backup_plugin.hosts.mountinfo import parse
from csf_backup_plugin.hosts.protocol.values import Facts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from csf_backup_plugin.hosts.protocol.values import Stat


def detailed(
    paths: Sequence[str], stats: Sequence[Stat], fields: Sequence[str]
) -> dict[str, Facts]:
    """Return the facts about each path.

    Args:
        paths: the paths.
        stats: what is at each.
        fields: what `look_at` of `looking.sh` prints about them.
    """
    *told, mountinfo = fields
    mounts, start = parse(mountinfo), 2 * len(paths)
    end = told.index("//", start)
    free = {told[at]: int(told[at + 1]) * int(told[at + 2]) for at in range(start, end, 3)}
    devices, disks = told[end + 1 :: 2], told[end + 2 :: 2]
    disks_on = dict(zip(map(int, devices), map(raid.parse, disks), strict=True))
    rows = zip(paths, stats, told[:start:2], told[1:start:2], strict=True)
    found = {}
    for path, stat, resolved, writable in rows:
        found[path] = Facts(stat.kind, resolved)
        if stat.device < 0:
            continue
        on = disks_on.get(stat.device, raid.Disks())
        found[path] = Facts(
            stat.kind,
            resolved,
            device=stat.device,
            inode=stat.inode,
            writable=bool(writable),
            free=free.get(path, 0),
            disks=on.all,
            vital=on.vital,
        ).on(mounts.at(resolved))
    return found
