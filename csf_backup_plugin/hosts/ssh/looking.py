"""Looking at paths on the host, any number of them in one go."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from csf_backup_plugin.hosts.protocol import Facts
from csf_backup_plugin.hosts.ssh.details import DETAILS, detailed
from csf_backup_plugin.hosts.ssh.errors import os_error
from csf_backup_plugin.hosts.ssh.session import Answer, joined

if TYPE_CHECKING:
    from collections.abc import Sequence

    from csf_backup_plugin.hosts.protocol import Kind
    from csf_backup_plugin.hosts.ssh.connection import Connection

DETAILED = 8  # paths; of more, what takes a process each is found out of directories and links only

# Kind, size, sectors, device and stamp of the paths on standard input, as far as they lead
# somewhere; a link that does not is "l", or N or L where find tells so. Then whether the path
# itself is a link, and whether it may be read.
_LOOK = r"""
xargs -0r sh -c 'exec find -L "$@" -maxdepth 0 -printf "$0" , -xtype l -printf l \
  , -printf "\0" , -readable -printf r , -printf "\0"' \
  '%p\0%y\0%s\0%b\0%D\0%i-%s-%T@-%C@\0'
printf '//\0'
"""
# What find says of each path, if it is not to be found; nobody can tell so from all errors at once.
# Before it, whether it is a link.
_WHY = r"""
for path; do
  link=; [ -L "$path" ] && link=l
  printf '%s\0%s\0' "$link" "$(find -L "$path" -maxdepth 0 2>&1 >/dev/null)"
done
"""
KINDS: dict[str, Kind] = {"f": "file", "d": "directory"}
NOWHERE = ("l", "N", "L")  # with -L, of links that lead nowhere
# What is said of a path that leads nowhere; after anything else, what is there cannot be told.
_MISSING = re.compile(rb"find: .*: (No such file or directory|Not a directory)")
_LOOP = re.compile(rb"find: .*: Too many levels of symbolic links")


def look(connection: Connection, paths: Sequence[str]) -> list[Facts]:
    """Return the facts on each path, in order; see `Host.look`.

    Of more than `DETAILED` paths, whether a plain file is writable, and what its disk and its mount
    point are, is not told; such a file's path is taken to be resolved but for itself.
    """
    if not paths:
        return []
    few = paths if len(paths) <= DETAILED else ()
    answer = connection.ask(_LOOK + DETAILS, *few, data=joined(paths))
    fields = split(answer.output)
    end = fields.index("//")  # no path of ours has two slashes in a row
    found = {fields[at]: fields[at + 1 : at + 8] for at in range(0, end, 8)}
    absent = [path for path in dict.fromkeys(paths) if path not in found]
    loops = _loops(connection, absent, answer.errors.splitlines())
    facts = [_facts(path, found.get(path), circle=loops.get(path)) for path in paths]
    if few:
        return detailed(facts, fields[end + 1 :])
    pairs = zip(facts, paths, strict=True)
    chosen = {path: fact for fact, path in pairs if fact.kind == "directory" or fact.link}
    if chosen:
        rows = split(connection.ask(DETAILS, *chosen).output)
        chosen.update(zip(chosen, detailed([*chosen.values()], rows), strict=True))
    return [chosen.get(path, fact) for fact, path in zip(facts, paths, strict=True)]


def _loops(connection: Connection, absent: Sequence[str], said: Sequence[bytes]) -> dict[str, bool]:
    """Return those of the paths that were not found that lead into a circle of links.

    Args:
        connection: to the host.
        absent: the paths.
        said: the lines that were said of them.

    Returns:
        Whether each is a link itself.

    Raises:
        OSError: one of them may be there: for each that is missing, somebody must have said so.
    """
    if len(said) == len(absent) and all(map(_MISSING.fullmatch, said)):
        return {}
    loops = {}
    fields = connection.ask(_WHY, *absent).output.split(b"\0")[:-1]
    for path, link, why in zip(absent, fields[::2], fields[1::2], strict=True):
        if _LOOP.fullmatch(why):
            loops[path] = bool(link)
        elif not _MISSING.fullmatch(why):
            raise os_error(Answer(1, b"", why or b"It cannot be looked at"), path)
    return loops


def _facts(path: str, fields: list[str] | None, *, circle: bool | None) -> Facts:
    """Return the facts on a path without its details.

    Args:
        path: the path.
        fields: what was found of it, if it leads somewhere.
        circle: if it leads into a circle of links, whether it is one of them.
    """
    nothing = Facts(
        *("missing" if circle is None else "other", 0, path),
        writable=False,
        free=0,
        device=-1,
        disks=frozenset(),
        stamp="",
        link=bool(circle),
    )
    if fields is None:
        return nothing
    letter, size, sectors, device, stamp, link, readable = fields
    kind = KINDS.get(letter, "other")
    if letter not in NOWHERE:
        inode = int(stamp.partition("-")[0])
        nothing = nothing._replace(device=int(device), inode=inode)
    return nothing._replace(
        kind=kind,
        size=int(size) if kind == "file" else 0,
        stamp=stamp if kind == "file" else "",
        link=bool(link),
        readable=bool(readable),
        allocated=int(sectors) * 512 if kind == "file" else 0,
    )


def split(data: bytes) -> list[str]:
    """Return fields that end with NUL, such as paths."""
    return [os.fsdecode(field) for field in data.split(b"\0")[:-1]]
