"""Looking at paths on the host, any number of them in one go."""

from __future__ import annotations

import os
import re
import stat
from typing import TYPE_CHECKING

from csf_backup_plugin.hosts.protocol import Entry, Facts
from csf_backup_plugin.hosts.ssh.errors import os_error

if TYPE_CHECKING:
    from collections.abc import Sequence

    from csf_backup_plugin.hosts.protocol import Kind
    from csf_backup_plugin.hosts.ssh.connection import Connection

DETAILED = 8  # paths; of more, only kind, size and stamp are found out

# stat, first through links and then not, of the paths on standard input.
_STAT = r"""
paths=$(mktemp) && trap 'rm -f "$paths"' EXIT && cat > "$paths"
xargs -0r -a "$paths" stat -L --printf '%n\0%f\0%s\0%d\0%i-%s-%.9Y-%.9Z\0' --
printf '//\0'
xargs -0r -a "$paths" stat --printf '%n\0' -- 2>/dev/null
exit 0
"""
# What a backup wants to know of its few directories; disks as in `local.disks`.
_DETAILS = r"""
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
for path; do
  realpath -mz -- "$path"
  writable=; [ -w "$path" ] && { [ ! -d "$path" ] || [ -x "$path" ]; } && writable=w
  printf '%s\0' "$writable"
  stat -f --printf '%a\0%S\0' -- "$path" 2>/dev/null || printf '0\000%s\000' 0
  found=$(device=$(stat -L -c %d -- "$path") && below "$device") || found=
  printf '%s\0' "$found"
done 2>/dev/null
exit 0
"""
_LIST = r"""find -L "$1" -mindepth 1 -maxdepth 1 -printf '%P\0%y\0%s\0'"""
_KINDS: dict[str, Kind] = {"f": "file", "d": "directory"}
# What a path that leads nowhere is said to be; anything else cannot be told.
_NOWHERE = re.compile(rb"No such file or directory|Not a directory|Too many levels of symbolic")


def look(connection: Connection, paths: Sequence[str]) -> list[Facts]:
    """Return the facts on each path, in order; see `Host.look`."""
    answer = connection.ask(_STAT, data=_joined(paths))
    fields = _split(answer.output)
    end = fields.index("//")  # no path of ours has two slashes in a row
    found = {fields[at]: fields[at + 1 : at + 5] for at in range(0, end, 5)}
    there = set(fields[end + 1 :])
    unknown = [path for path in paths if path not in found and path not in there]
    for line in answer.errors.splitlines():
        if b"stat: cannot stat" in line and not _NOWHERE.search(line):
            raise os_error(answer._replace(errors=line), _named(line, unknown or list(paths)))
    facts = [_facts(path, found.get(path), path in there) for path in paths]
    return _detailed(connection, facts, paths) if len(paths) <= DETAILED else facts


def _facts(path: str, fields: list[str] | None, there: bool) -> Facts:  # noqa: FBT001
    nothing = Facts(
        "other" if there else "missing",
        *(0, path),
        writable=False,
        free=0,
        device=-1,
        disks=frozenset(),
        stamp="",
    )
    if fields is None:
        return nothing
    mode, size, device, stamp = fields
    if stat.S_ISREG(int(mode, 16)):
        return nothing._replace(kind="file", size=int(size), device=int(device), stamp=stamp)
    kind: Kind = "directory" if stat.S_ISDIR(int(mode, 16)) else "other"
    return nothing._replace(kind=kind, device=int(device), stamp=stamp)


def _detailed(connection: Connection, facts: list[Facts], paths: Sequence[str]) -> list[Facts]:
    fields = _split(connection.ask(_DETAILS, *paths).output)
    rows = (fields[at : at + 5] for at in range(0, len(fields), 5))
    return [
        fact._replace(
            resolved=resolved,
            writable=bool(writable) and fact.device >= 0,
            free=int(blocks) * int(size) if fact.device >= 0 else 0,
            disks=frozenset(disks.split()),
        )
        for fact, (resolved, writable, blocks, size, disks) in zip(facts, rows, strict=True)
    ]


def list_directory(connection: Connection, path: str) -> list[Entry]:
    """Return what is in a directory; see `Host.list_directory`."""
    answer = connection.ask(_LIST, path)
    bad = [line for line in answer.errors.splitlines() if line.startswith(b"find: ")]
    if answer.status and (not bad or not all(b"Too many levels" in line for line in bad)):
        raise os_error(answer, path)
    fields = _split(answer.output)
    rows = (fields[at : at + 3] for at in range(0, len(fields), 3))
    return [_entry(name, kind, size) for name, kind, size in rows]


def _entry(name: str, letter: str, size: str) -> Entry:
    kind = _KINDS.get(letter, "other")
    return Entry(name, kind, int(size) if kind == "file" else 0)


def _joined(paths: Sequence[str]) -> bytes:
    return b"".join(os.fsencode(path) + b"\0" for path in paths)


def _split(data: bytes) -> list[str]:
    return [os.fsdecode(field) for field in data.split(b"\0")[:-1]]


def _named(line: bytes, paths: list[str]) -> str:
    """Return the path an error line is about, as far as one of them stands in it."""
    return next((path for path in paths if os.fsencode(path) in line), paths[0])
