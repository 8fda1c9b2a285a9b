"""What is in a directory of the host."""

from __future__ import annotations

from typing import TYPE_CHECKING

from csf_backup_plugin.hosts.protocol import Entry
from csf_backup_plugin.hosts.ssh.errors import os_error
from csf_backup_plugin.hosts.ssh.looking import KINDS, NOWHERE, split

if TYPE_CHECKING:
    from csf_backup_plugin.hosts.ssh.connection import Connection
    from csf_backup_plugin.hosts.ssh.session import Answer

#: Names, kinds, sizes and times with links followed, then the names of links: of one in a circle
# the first find tells nothing. Its status is kept.
LIST = r"""
find -L "$1/" -mindepth 1 -maxdepth 1 -printf '%P\0%y\0%s\0%T@\0'; status=$?
printf '//\0'
find "$1/" -mindepth 1 -maxdepth 1 -type l -printf '%P\0' || exit
"""


def list_directory(connection: Connection, path: str) -> list[Entry]:
    """Return what is in a directory; see `Host.list_directory`."""
    return entries(connection.ask(LIST + "exit $status", path), path)


def entries(answer: Answer, path: str) -> list[Entry]:
    """Return what is in a directory, as `LIST` has told it.

    Raises:
        OSError: it cannot be listed.
    """
    bad = [line for line in answer.errors.splitlines() if line.startswith(b"find: ")]
    if answer.status and (not bad or not all(b"Too many levels" in line for line in bad)):
        raise os_error(answer, path)
    fields = split(answer.output)
    end = fields.index("//")  # no name has a slash
    links = dict.fromkeys(fields[end + 1 :])
    rows = (fields[at : at + 4] for at in range(0, end, 4))
    found = {row[0]: _entry(*row, link=row[0] in links) for row in rows}
    circles = [Entry(name, "other", 0, link=True) for name in links if name not in found]
    return [*found.values(), *circles]


def _entry(name: str, letter: str, size: str, modified: str, *, link: bool) -> Entry:
    kind = KINDS.get(letter, "other")
    time = 0.0 if letter in NOWHERE else float(modified)
    return Entry(name, kind, int(size) if kind == "file" else 0, link, time)
