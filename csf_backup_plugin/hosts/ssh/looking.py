"""Look at any number of paths on the host with one call, and at the host itself."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from csf_backup_plugin import timestamps
from csf_backup_plugin.hosts import common
from csf_backup_plugin.hosts.local.find_utility import checked_program, not_found
from csf_backup_plugin.hosts.protocol.values import Entry, Machine, Stat
from csf_backup_plugin.hosts.ssh.details import detailed
from csf_backup_plugin.hosts.ssh.errors import Answer, check, os_error

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from csf_backup_plugin.hosts.protocol.values import Facts, Kind
    from csf_backup_plugin.hosts.ssh.connection import Connection

KINDS: dict[str, Kind] = {"f": "file", "d": "directory"}
NOWHERE = ("l", "N", "L")  # with -L, for links that lead nowhere
# What find prints for a path that leads nowhere; after any other error, what is there is not known.
_MISSING = re.compile(rb"find: .*: (No such file or directory|Not a directory)")
_LOOP = re.compile(rb"find: .*: Too many levels of symbolic links")


class Looking:
    """The part of a host that looks at it."""

    name: str
    _connection: Connection

    def machine(self) -> Machine:
        """Return the host's identity, its name, and the time of its clock.

        Raises:
            OSError: the host cannot print them; the error has the host's name instead of a file.
        """
        answer = check(self._connection.ask("machine", *common.MACHINE_IDS), self.name)
        name, clock, *ids = answer.output.split(b"\0")
        local = clock.decode("ascii", "replace")
        now = timestamps.read(local) or local
        ids = [one[: common.MACHINE_ID_SIZE] for one in ids]
        return Machine(common.machine_id(ids), os.fsdecode(name), now, local)

    def stat(self, paths: Iterable[str]) -> list[Stat]:
        """Return what is at each path, in order."""
        asked = list(paths)
        if not asked:
            return []
        return _stats(self._connection, asked, self._connection.ask("stat_paths", *asked))[0]

    def look(self, paths: Iterable[str]) -> list[Facts]:
        """Return the facts about each path, in order."""
        asked = list(paths)
        if not asked:
            return []
        once = [*dict.fromkeys(asked)]
        answer = self._connection.ask("look_at", *once)
        found = detailed(once, *_stats(self._connection, once, answer))
        return [found[path] for path in asked]

    def list_directory(self, path: str) -> list[Entry]:
        """Return what is in a directory."""
        return entries_of(self._connection.ask("list_directory", path), path)

    def find(self, utility: str, variable: str) -> str:
        """Return the path of an ObjectStore utility; see `Host.find`."""
        fields = self._connection.ask("find_utility", utility, variable).output.split(b"\0")
        if fields[0]:
            return os.fsdecode(fields[0])
        names = (variable, "OS_ROOTDIR", "PATH")
        there = dict(zip(names, map(os.fsdecode, fields[1:4]), strict=True))
        where = f", where a command that ssh runs there sees it: ssh {self.name} env"
        raise not_found(utility, variable, there, self.name, where)

    def find_program(self, path: str, variable: str) -> str:
        """Return the path of a user's program; see `Host.find_program`."""
        output = self._connection.ask("find_program", path, variable).output
        named, is_program, _ = map(os.fsdecode, output.split(b"\0"))
        by = "" if path else variable
        return checked_program(named, by, self.name, is_program=bool(is_program))


def _stats(
    connection: Connection, paths: Sequence[str], answer: Answer
) -> tuple[list[Stat], list[str]]:
    """Return what `stat_paths` has printed about each path, and the fields that follow."""
    fields = split(answer.output)
    end = fields.index("//")  # no path of ours has two slashes in a row
    found = {fields[at]: fields[at + 1 : at + 8] for at in range(0, end, 8)}
    absent = [path for path in dict.fromkeys(paths) if path not in found]
    loops = _loops(connection, absent, answer.errors.splitlines())
    stats = [_stat(*found[path]) if path in found else _absent(path, loops) for path in paths]
    return stats, fields[end + 1 :]


def _loops(connection: Connection, absent: Sequence[str], said: Sequence[bytes]) -> dict[str, bool]:
    """Return which of the paths that were not found lead into a circle of links.

    Args:
        connection: the connection to the host.
        absent: the paths that were not found.
        said: the errors that find printed, one a line.

    Returns:
        For each such path, whether it is a link itself.

    Raises:
        OSError: one of the paths may exist, since find has not reported it as missing.
    """
    if len(said) == len(absent) and all(map(_MISSING.fullmatch, said)):
        return {}
    loops = {}
    fields = connection.ask("why_not", *absent).output.split(b"\0")[:-1]
    for path, link, why in zip(absent, fields[::2], fields[1::2], strict=True):
        if _LOOP.fullmatch(why):
            loops[path] = bool(link)
        elif not _MISSING.fullmatch(why):
            raise os_error(Answer(1, b"", why or b"It cannot be looked at"), path)
    return loops


def _absent(path: str, loops: Mapping[str, bool]) -> Stat:
    """Return the state of a path that was not found; see `_loops`."""
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


def entries_of(answer: Answer, path: str) -> list[Entry]:
    """Return what is in a directory, from the answer of `list_directory`.

    Raises:
        OSError: the directory cannot be listed.
    """
    bad = [line for line in answer.errors.splitlines() if line.startswith(b"find: ")]
    if answer.status and (not bad or not all(b"Too many levels" in line for line in bad)):
        raise os_error(answer, path)
    fields = split(answer.output)
    end = fields.index("//")  # no name has a slash
    found = {fields[at]: _entry(*fields[at : at + 5]) for at in range(0, end, 5)}
    links = fields[end + 1 :]
    circles = [Entry(name, "other", 0, link=True) for name in links if name not in found]
    return [*found.values(), *circles]


def _entry(name: str, letter: str, size: str, modified: str, link: str) -> Entry:
    kind = KINDS.get(letter, "other")
    time = 0.0 if letter in NOWHERE else float(modified)
    return Entry(name, kind, int(size) if kind == "file" else 0, bool(link), time)
