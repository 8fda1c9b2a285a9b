"""What is to be known of a directory besides: its disks, its mount, its free space."""

from __future__ import annotations

from typing import TYPE_CHECKING

from csf_backup_plugin.hosts import raid
from csf_backup_plugin.hosts.mountinfo import MOUNTINFO, Mounts, parse
from csf_backup_plugin.hosts.protocol import Facts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from csf_backup_plugin.hosts.protocol import Stat

#: Of each of $1 and so on: the path without links, whether it may be written to, free blocks and
# their size, and disks as `raid.parse` reads them, found as in `local.disks`. At last, when
# all have been looked at and what mounts itself is mounted, all mounts.
DETAILS = r"""
first() { { read -r word rest < "$1"; } 2>/dev/null; echo "$word"; }
disks() (
  if [ -e "$1/partition" ]; then disks "${1%/*}"
  elif [ -e "$1/loop/backing_file" ]; then below "$(cat "$1/loop/backing_file")"
  elif parts=$(ls "$1/slaves" 2>/dev/null) && [ -n "$parts" ]; then
    for part in $parts; do disks "$(readlink -f "$1/slaves/$part")" || exit 1; done
    array=$(first "$1/md/level")/$(first "$1/md/raid_disks")/$(first "$1/md/degraded")
    set -- $parts; echo "$#/$array"
  else echo "${1##*/}"; fi
)
below() {
  device=$(stat -L -c %d -- "$1") || return
  major=$(($device >> 8 & 4095 | $device >> 32 & ~4095))
  minor=$(($device & 255 | $device >> 12 & ~255))
  entry=$(readlink -f "/sys/dev/block/$major:$minor")
  [ -d "$entry" ] && disks "$entry"
}
for path; do
  target=$(realpath -m -- "$path"; echo .); target=${target%??}
  printf '%s\0' "$target"
  writable=; [ -w "$path" ] && { [ ! -d "$path" ] || [ -x "$path" ]; } && writable=w
  printf '%s\0' "$writable"
  stat -f --printf '%a\0%S\0' -- "$path" 2>/dev/null || printf '0\000%s\000' 0
  found=$(below "$target") || found=
  printf '%s\0' "$found"
done 2>/dev/null
cat MOUNTINFO 2>/dev/null; printf '\0'
exit 0
""".replace("MOUNTINFO", MOUNTINFO)
_FIELDS = 5


def detailed(stats: Sequence[Stat], fields: Sequence[str]) -> list[Facts]:
    """Return the facts on some paths.

    Args:
        stats: what stands at each.
        fields: what `DETAILS` tells of these.
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
