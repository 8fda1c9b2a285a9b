"""Looking at paths on the host, any number of them in one go."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from csf_backup_plugin.hosts.protocol import Stat
from csf_backup_plugin.hosts.ssh.details import DETAILS, detailed
from csf_backup_plugin.hosts.ssh.errors import os_error
from csf_backup_plugin.hosts.ssh.session import Answer, joined

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from csf_backup_plugin.hosts.protocol import Facts, Kind
    from csf_backup_plugin.hosts.ssh.connection import Connection

# Kind, size, sectors, device and stamp of the paths on standard input, as far as they lead
# somewhere; a link that does not is "l", or N or L where find tells so. Then whether the path
# itself is a link, and whether it may be read.
_STAT = r"""
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


def stat(connection: Connection, paths: Sequence[str]) -> list[Stat]:
    """Return what stands at each path, in order; see `Host.stat`."""
    if not paths:
        return []
    answer = connection.ask(_STAT, data=joined(paths))
    return _stats(connection, paths, answer)[0]


def look(connection: Connection, paths: Sequence[str]) -> list[Facts]:
    """Return the facts on each path, in order; see `Host.look`."""
    if not paths:
        return []
    once = [*dict.fromkeys(paths)]
    answer = connection.ask(_STAT + DETAILS, *once, data=joined(once))
    found = dict(zip(once, detailed(*_stats(connection, once, answer)), strict=True))
    return [found[path] for path in paths]


def _stats(
    connection: Connection, paths: Sequence[str], answer: Answer
) -> tuple[list[Stat], list[str]]:
    """Return what `_STAT` has told of each path, and the fields that follow."""
    fields = split(answer.output)
    end = fields.index("//")  # no path of ours has two slashes in a row
    found = {fields[at]: fields[at + 1 : at + 8] for at in range(0, end, 8)}
    absent = [path for path in dict.fromkeys(paths) if path not in found]
    loops = _loops(connection, absent, answer.errors.splitlines())
    stats = [_stat(*found[path]) if path in found else _absent(path, loops) for path in paths]
    return stats, fields[end + 1 :]


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


def _absent(path: str, loops: Mapping[str, bool]) -> Stat:
    """Return what stands where nothing was found; see `_loops`."""
    return Stat("other", link=loops[path]) if path in loops else Stat("missing")


def _stat(
    letter: str, size: str, sectors: str, device: str, stamp: str, link: str, readable: str
) -> Stat:
    found = Stat(KINDS.get(letter, "other"), link=bool(link), readable=bool(readable))
    if letter not in NOWHERE:
        found = found._replace(device=int(device), inode=int(stamp.partition("-")[0]))
    if found.kind != "file":
        return found
    return found._replace(size=int(size), stamp=stamp, allocated=int(sectors) * 512)


def split(data: bytes) -> list[str]:
    """Return fields that end with NUL, such as paths."""
    return [os.fsdecode(field) for field in data.split(b"\0")[:-1]]
