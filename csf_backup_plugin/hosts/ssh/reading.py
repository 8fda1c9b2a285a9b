"""Files on the host, read into memory, any number of them in one go."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING

from csf_backup_plugin.hosts import common
from csf_backup_plugin.hosts.ssh.errors import LINK, NOT_A_FILE, TOO_LARGE, check, os_error
from csf_backup_plugin.hosts.ssh.session import Answer, joined

if TYPE_CHECKING:
    from collections.abc import Sequence

    from csf_backup_plugin.hosts.ssh.connection import Connection

# Of each path on standard input: its contents, a status and what dd said, and the length of these
# two in _WIDTH digits. dd tells how many bytes it has copied, so the answer is read from its end.
# A file is asked for its size only if one of them is too large; it may grow, so dd stops by itself.
WIDTH = 8
EACH = rf"""
larger() {{ find "$@" -maxdepth 0 -size "+${{0}}c" -print -quit 2>/dev/null; }}
large=$(larger "$@")
for path; do
  if [ -L "$path" ]; then said={LINK}
  elif [ -e "$path" ] && [ ! -f "$path" ]; then said={NOT_A_FILE}
  elif [ -n "$large" ] && [ -n "$(larger "$path")" ]; then said={TOO_LARGE}
  else
    said=$(dd if="$path" iflag=nofollow,nonblock,count_bytes count=$(($0 + 1)) bs=1M 2>&1 >&3)
    said="$? $said"
  fi
  printf "%s%{WIDTH}d" "$said" "${{#said}}"
done 3>&1
"""
_READ = f'xargs -0r sh -c {shlex.quote(EACH)} "$1"'
_COPIED = re.compile(rb"(?:^|\n)(\d+) bytes? [^\n]*\Z")


def read(connection: Connection, path: str) -> bytes | None:
    """Return a file's contents, or None where there is no file; see `Host.read`."""
    (found,) = read_each(connection, [path])
    if isinstance(found, OSError):
        raise found
    return found


def read_each(connection: Connection, paths: Sequence[str]) -> list[bytes | OSError | None]:
    """Return the contents of each file, in order; see `Host.read_each`."""
    if not paths:
        return []
    answer = connection.ask(_READ, str(common.LARGEST), data=joined(paths))
    rest = memoryview(check(answer, paths[0]).output)
    found: list[bytes | OSError | None] = []
    for path in reversed(paths):
        rest, contents = last_of(rest, path)
        found.append(contents)
    return found[::-1]


def last_of(told: memoryview, path: str) -> tuple[memoryview, bytes | OSError | None]:
    """Return what `EACH` has told before its last file, and what stands for that.

    Args:
        told: what it has told.
        path: the last file.
    """
    rest, size = told[:-WIDTH], int(bytes(told[-WIDTH:]))
    rest, said = rest[:-size], bytes(rest[-size:])
    copied = _COPIED.search(said)
    start = len(rest) - (int(copied[1]) if copied else 0)
    return rest[:start], _contents(path, said, rest[start:])


def _contents(path: str, said: bytes, data: memoryview) -> bytes | OSError | None:
    """Return what stands for a file.

    Args:
        path: the file.
        said: its status, and behind a space what dd said.
        data: what dd has copied.
    """
    status, _, errors = said.partition(b" ")
    failed = int(status) or (TOO_LARGE if len(data) > common.LARGEST else 0)
    if not failed:
        return bytes(data)
    error = os_error(Answer(failed, b"", errors.partition(b"\n")[0]), path)
    return None if isinstance(error, FileNotFoundError) else error
