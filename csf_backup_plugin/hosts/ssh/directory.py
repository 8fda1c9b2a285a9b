"""What is in a directory of the host, and in some of its files, in one go."""

from __future__ import annotations

import os
import posixpath
import shlex
from typing import TYPE_CHECKING

from csf_backup_plugin.hosts import common
from csf_backup_plugin.hosts.ssh.errors import os_error
from csf_backup_plugin.hosts.ssh.listing import LIST, entries
from csf_backup_plugin.hosts.ssh.reading import EACH, WIDTH, last_of

if TYPE_CHECKING:
    from csf_backup_plugin.hosts.protocol import Entry
    from csf_backup_plugin.hosts.ssh.connection import Connection

_UNREAD = 91  # the exit status of a script that has listed the files and could not read them
# The list; then of each file whose name ends with $2 what `EACH` tells, its name, and the length of
# that. $3 is the size of the largest file that is read.
_NAMED = EACH.replace(
    "done 3>&1", f"""name=${{path##*/}}; printf "%s%{WIDTH}d" "$name" "${{#name}}"\ndone 3>&1"""
)
_READ = f"""{LIST}
printf '//\\0'
find "$1/" -mindepth 1 -maxdepth 1 -name "*$2" -print0 |
  xargs -0r sh -c {shlex.quote(_NAMED)} "$3" || exit {_UNREAD}
exit $status
"""
_END = b"//\0"  # no name has a slash
# What find takes for a pattern.
_PATTERN = str.maketrans({letter: f"\\{letter}" for letter in "\\*?["})


def read_directory(
    connection: Connection, path: str, ending: str
) -> tuple[list[Entry], dict[str, bytes | OSError | None]]:
    """List a directory, and read the files whose names end so; see `Host.read_directory`."""
    answer = connection.ask(_READ, path, ending.translate(_PATTERN), str(common.LARGEST))
    if answer.status == _UNREAD:
        raise os_error(answer, path)
    there, end, rest = answer.output.partition(_END)
    links, _, told = rest.partition(_END)
    listed = entries(answer._replace(output=there + end + links), path)
    found: dict[str, bytes | OSError | None] = {
        entry.name: None for entry in listed if entry.name.endswith(ending)
    }
    left = memoryview(told)
    while left:
        left, size = left[:-WIDTH], int(bytes(left[-WIDTH:]))
        left, name = left[:-size], os.fsdecode(bytes(left[-size:]))
        left, contents = last_of(left, posixpath.join(path, name))
        if name in found:  # another one has appeared since the directory was listed
            found[name] = contents
    return listed, found
