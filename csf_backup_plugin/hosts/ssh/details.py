"""What a backup wants to know of its few directories besides: disks, mount points, free space."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from csf_backup_plugin.hosts.protocol import Facts

#: Of each of $1 and so on: the path without links, whether it may be written to, free blocks and
# their size, disks, and the devices of the path and of all directories above it. Disks as in
# `local.disks`.
DETAILS = r"""
disks() (
  if [ -e "$1/partition" ]; then disks "${1%/*}"
  elif [ -e "$1/loop/backing_file" ]; then below "$(stat -L -c %d "$(cat "$1/loop/backing_file")")"
  elif parts=$(ls "$1/slaves" 2>/dev/null) && [ -n "$parts" ]; then
    for part in $parts; do disks "$(readlink -f "$1/slaves/$part")" || exit 1; done
  else echo "${1##*/}"; fi
)
below() {
  major=$(($1 >> 8 & 4095 | $1 >> 32 & ~4095)); minor=$(($1 & 255 | $1 >> 12 & ~255))
  entry=$(readlink -f "/sys/dev/block/$major:$minor")
  [ -d "$entry" ] && disks "$entry"
}
devices() (
  at=$1; set --
  while [ -n "$at" ]; do set -- "$@" "$at"; at=${at%/*}; done
  stat --printf '%d ' -- "$@" /
)
for path; do
  target=$(realpath -m -- "$path"; echo .); target=${target%??}
  printf '%s\0' "$target"
  writable=; [ -w "$path" ] && { [ ! -d "$path" ] || [ -x "$path" ]; } && writable=w
  printf '%s\0' "$writable"
  stat -f --printf '%a\0%S\0' -- "$path" 2>/dev/null || printf '0\000%s\000' 0
  devices=$(devices "$target") || devices=
  found=; [ -n "$devices" ] && { found=$(below "${devices%% *}") || found=; }
  printf '%s\0%s\0' "$found" "$devices"
done 2>/dev/null
exit 0
"""
_FIELDS = 6


def detailed(facts: list[Facts], fields: list[str]) -> list[Facts]:
    """Return facts with their details.

    Args:
        facts: on some paths.
        fields: what `DETAILS` tells of these.
    """
    rows = (fields[at : at + _FIELDS] for at in range(0, len(fields), _FIELDS))
    return [_with(fact, *row) for fact, row in zip(facts, rows, strict=True)]


def _with(
    fact: Facts, resolved: str, writable: str, blocks: str, size: str, disks: str, devices: str
) -> Facts:
    if fact.device < 0:
        return fact._replace(resolved=resolved)
    return fact._replace(
        resolved=resolved,
        writable=bool(writable),
        free=int(blocks) * int(size),
        disks=frozenset(disks.split()),
        mount=_mount_point(fact, resolved, devices.split()) if devices else "",
    )


def _mount_point(fact: Facts, path: str, devices: list[str]) -> str:
    """Return the mount point, as `local.facts.mount_point` does.

    Args:
        fact: on the path.
        path: without links.
        devices: of it and of what is above it.
    """
    if fact.kind != "directory":
        path, devices = posixpath.dirname(path), devices[1:]
    for device in devices[1:]:
        if device != devices[0]:
            break
        path = posixpath.dirname(path)
    return path
