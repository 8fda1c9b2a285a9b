"""Looking at paths on the host, any number of them in one go."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from csf_backup_plugin.hosts.protocol import Entry, Facts
from csf_backup_plugin.hosts.ssh.errors import os_error
from csf_backup_plugin.hosts.ssh.session import Answer, joined

if TYPE_CHECKING:
    from collections.abc import Sequence

    from csf_backup_plugin.hosts.protocol import Kind
    from csf_backup_plugin.hosts.ssh.connection import Connection

DETAILED = 8  # paths; of more, what takes a process each is found out of directories and links only

# Kind, size, device and stamp of the paths on standard input, as far as they lead somewhere; a link
# that does not is "l", or N or L where find tells so.
_LOOK = r"""
xargs -0r sh -c 'exec find -L "$@" -maxdepth 0 -printf "$0"' \
  '%p\0%y\0%s\0%D\0%i-%s-%T@-%C@\0'
printf '//\0'
"""
_LINKED = "xargs -0r sh -c 'exec find \"$@\" -maxdepth 0 -type l -print0' sh"
# What find says of each path, if it is not to be found; nobody can tell so from all errors at once.
_WHY = r"""
for path; do printf '%s\0' "$(find -L "$path" -maxdepth 0 2>&1 >/dev/null)"; done
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
_LIST = r"""find -L "$1/" -mindepth 1 -maxdepth 1 -printf '%P\0%y\0%s\0'"""
_KINDS: dict[str, Kind] = {"f": "file", "d": "directory"}
_LINKS = ("l", "N", "L")  # with -L, of links that lead nowhere
# What is said of a path that leads nowhere; after anything else, what is there cannot be told.
_MISSING = re.compile(rb"find: .*: (No such file or directory|Not a directory)")
_LOOP = re.compile(rb"find: .*: Too many levels of symbolic links")


def look(connection: Connection, paths: Sequence[str]) -> list[Facts]:
    """Return the facts on each path, in order; see `Host.look`.

    Of more than `DETAILED` paths, whether a plain file is writable, and what its disk is, is not
    told; such a file's path is taken to be resolved but for itself.
    """
    few = paths if len(paths) <= DETAILED else ()
    answer = connection.ask(_LOOK + _DETAILS, *few, data=joined(paths))
    fields = _split(answer.output)
    end = fields.index("//")  # no path of ours has two slashes in a row
    found = {fields[at]: fields[at + 1 : at + 5] for at in range(0, end, 5)}
    absent = [path for path in dict.fromkeys(paths) if path not in found]
    loops = _loops(connection, absent, answer.errors.splitlines())
    facts = [_facts(path, found.get(path), loop=path in loops) for path in paths]
    if few:
        return _detailed(facts, fields[end + 1 :])
    links = {*_split(connection.ask(_LINKED, data=joined(paths)).output)}
    pairs = zip(facts, paths, strict=True)
    chosen = {path: fact for fact, path in pairs if fact.kind == "directory" or path in links}
    rows = _split(connection.ask(_DETAILS, *chosen).output)
    chosen.update(zip(chosen, _detailed([*chosen.values()], rows), strict=True))
    return [chosen.get(path, fact) for fact, path in zip(facts, paths, strict=True)]


def _loops(connection: Connection, absent: Sequence[str], said: Sequence[bytes]) -> set[str]:
    """Return those of the paths that were not found that are links in a circle.

    Args:
        connection: to the host.
        absent: the paths.
        said: the lines that were said of them.

    Raises:
        OSError: one of them may be there: for each that is missing, somebody must have said so.
    """
    if len(said) == len(absent) and all(map(_MISSING.fullmatch, said)):
        return set()
    loops = set()
    for path, why in zip(absent, _reasons(connection, absent), strict=True):
        if _LOOP.fullmatch(why):
            loops.add(path)
        elif not _MISSING.fullmatch(why):
            raise os_error(Answer(1, b"", why or b"It cannot be looked at"), path)
    return loops


def _reasons(connection: Connection, paths: Sequence[str]) -> list[bytes]:
    return connection.ask(_WHY, *paths).output.split(b"\0")[:-1]


def _facts(path: str, fields: list[str] | None, *, loop: bool) -> Facts:
    nothing = Facts(
        "other" if loop else "missing",
        *(0, path),
        writable=False,
        free=0,
        device=-1,
        disks=frozenset(),
        stamp="",
    )
    if fields is None:
        return nothing
    letter, size, device, stamp = fields
    kind = _KINDS.get(letter, "other")
    if letter not in _LINKS:
        nothing = nothing._replace(device=int(device))
    return nothing._replace(
        kind=kind,
        size=int(size) if kind == "file" else 0,
        stamp=stamp if kind == "file" else "",
    )


def _detailed(facts: list[Facts], fields: list[str]) -> list[Facts]:
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


def _split(data: bytes) -> list[str]:
    return [os.fsdecode(field) for field in data.split(b"\0")[:-1]]
