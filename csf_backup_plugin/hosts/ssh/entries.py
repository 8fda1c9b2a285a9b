"""The names of files on the host: brought to the disk, removed, and changed, many at a time."""

from __future__ import annotations

import os
import posixpath
import shlex
from typing import TYPE_CHECKING

from csf_backup_plugin.hosts.ssh.connection import GRACE, Cut
from csf_backup_plugin.hosts.ssh.errors import (
    ANOTHERS,
    MADE,
    REMOVED,
    STICKY,
    check,
    os_error,
)
from csf_backup_plugin.hosts.ssh.looking import split
from csf_backup_plugin.hosts.ssh.session import joined

if TYPE_CHECKING:
    from collections.abc import Iterable

    from csf_backup_plugin.hosts.ssh.connection import Connection
    from csf_backup_plugin.hosts.ssh.session import Answer

#: Gives the file $1 another name, which nothing may have yet; it keeps the old one where the file
# system has hard links. What FAT and some network file systems say to them stands here.
NAME = """
name() {
  [ ! -L "$1" ] && [ ! -L "$2" ] && [ "$1" -ef "$2" ] && return
  said=$(ln -T -- "$1" "$2" 2>&1) && return
  case $said in
  *"not permitted"*|*"not supported"*|*"not implemented"*) ;;
  *) printf "%s\\n" "$said" >&2; return 1;;
  esac
  if [ -e "$2" ] || [ -L "$2" ]; then echo "File exists" >&2; return 1; fi
  mv -T -- "$1" "$2"
}
"""
#: `sync_directory DIRECTORY` brings its names to the disk; `unsynced` is set if its file system
# cannot do so, as some network and FUSE ones.
SYNC_DIRECTORY = """
sync_directory() {
  unsynced=; said=$(sync -- "$1" 2>&1) && return
  case $said in
  *"Invalid argument"*|*"not supported"*|*"not implemented"*) unsynced=1;;
  *) printf "%s\\n" "$said" >&2; return 1;;
  esac
}
"""
#: `owners_only DIRECTORY COMMAND...` replaces or removes what is in a directory, or exits: with a
# status of its own where only its owner may do that.
OWNERS_ONLY = f"""
owners_only() {{
  in=$1; shift
  said=$("$@" 2>&1) && return
  case $said in *"not permitted"*|*"ermission denied"*) [ ! -k "$in" ] || exit {STICKY};; esac
  printf "%s\\n" "$said" >&2; exit 1
}}
"""
# Paths on standard input; $1 and so on are their directories, of which those are printed whose file
# systems cannot bring names to the disk.
_SYNC = (
    SYNC_DIRECTORY
    + """
xargs -0r sync -- || exit
for path; do
  sync_directory "$path" || exit; [ -z "$unsynced" ] || printf "%s\\0" "${path%/}"
done
"""
)
# Paths on standard input; $1 and so on are their directories, unless they are gone themselves.
# rm -d takes directories that are empty, and no others.
_REMOVE = (
    SYNC_DIRECTORY
    + OWNERS_ONLY
    + f"""
owners_only "$1" xargs -0r rm -fd --
for path; do [ ! -d "$path" ] || sync_directory "$path" || exit {REMOVED}; done
"""
)
# A dot for each directory that was made.
_MAKE_DIRECTORIES = (
    SYNC_DIRECTORY
    + f"""
umask o-w
for path; do
  mkdir -- "$path" || exit 1
  sync_directory "${{path%/*}}/" || {{ rmdir -- "$path" && exit 1; exit {MADE}; }}
  printf .
done
"""
)
# $1 whether it must be our user's: a word, or empty; then what is removed. A dot for each that is
# gone. A link to nothing exists.
_REMOVE_TREES = (
    SYNC_DIRECTORY
    + f"""
mine=$1; shift
for path; do
  if [ -e "$path" ] || [ -L "$path" ]; then
    if [ -n "$mine" ] && [ "$(stat -c %u -- "$path")" != "$(id -u)" ]; then exit {ANOTHERS}; fi
    rm -rf --one-file-system -- "$path" || exit 1
    sync_directory "${{path%/*}}/" || exit {REMOVED}
  fi
  printf .
done
"""
)
# Pairs of names on standard input; a dot for each file that has its new one. With $1, again after a
# cut: it may have it already.
_NAME_EACH = (
    "again=$1; export again; xargs -0r -n 1000 sh -c "
    + shlex.quote(
        NAME
        + """
while [ $# -gt 0 ]; do
  if [ -n "$again" ] && [ -e "$2" ] && { [ ! -e "$1" ] || [ "$1" -ef "$2" ]; }; then :
  elif [ -k "${1%/*}/" ] && [ ! -O "$1" ] && [ ! -O "${1%/*}/" ] && [ "$(id -u)" != 0 ]; then
    echo "Operation not permitted" >&2; exit 255
  else name "$1" "$2" || exit 255; fi
  printf .; shift 2
done"""
    )
    + " sh"
)


# Pairs of names on standard input: of a file that has both, the second is taken away.
_TAKE_BACK = (
    "xargs -0r -n 1000 sh -c "
    + shlex.quote(
        'while [ $# -gt 0 ]; do [ ! "$1" -ef "$2" ] || rm -f -- "$2" || exit 255; shift 2; done'
    )
    + " sh"
)


def sync(connection: Connection, paths: Iterable[str]) -> list[str]:
    """Bring files and their names to the disk; see `Host.sync`."""
    files = list(paths)
    return split(_each(connection, _SYNC, files, *_directories(files)))


def remove(connection: Connection, paths: Iterable[str]) -> None:
    """Delete files and empty directories, as far as they are there."""
    gone = list(paths)
    _each(connection, _REMOVE, gone, *_directories(gone))


def _directories(paths: list[str]) -> list[str]:
    return list(dict.fromkeys(posixpath.dirname(path) + "/" for path in paths))


def remove_trees(connection: Connection, paths: Iterable[str], *, mine: bool) -> None:
    """Remove files, or directories with all that is in them; rm follows no link into another."""
    unwanted = list(paths)
    answer = connection.ask(_REMOVE_TREES, "mine" if mine else "", *unwanted, grace=GRACE)
    if (gone := len(answer.output)) < len(unwanted):
        raise os_error(answer, unwanted[gone])


def make_directories(connection: Connection, paths: Iterable[str]) -> None:
    """Make directories that must not exist yet, one after another."""
    wanted = list(paths)
    answer = connection.run(_MAKE_DIRECTORIES, *wanted)
    if (made := len(answer.output)) < len(wanted):
        raise os_error(answer, wanted[made])


def move(connection: Connection, moves: Iterable[tuple[str, str]]) -> None:
    """Give files other names, replacing nothing.

    Each keeps its old name until the new one has reached the disk.
    """
    pairs = list(moves)
    answer = _name_each(connection, [path for pair in pairs for path in pair])
    named = pairs[: len(answer.output)]
    try:
        sync(connection, [new for _, new in named])
        remove(connection, [old for old, _ in named])
    except OSError:
        connection.ask(_TAKE_BACK, data=joined(path for pair in named for path in pair))
        raise
    if len(named) < len(pairs):
        raise os_error(answer, pairs[len(named)][0])


def _name_each(connection: Connection, paths: list[str]) -> Answer:
    again = ""
    while True:
        try:
            return connection.run(_NAME_EACH, again, data=joined(paths))
        except Cut as cut:
            connection.reconnect(cut)
            again = "again"


def _each(connection: Connection, script: str, paths: list[str], *arguments: str) -> bytes:
    """Run a script that does no harm when it is run again, on many paths; return what it prints."""
    if not paths:
        return b""
    answer = connection.ask(script, *arguments, data=joined(paths), grace=GRACE)
    return check(answer, _blamed(answer.errors, paths)).output


def _blamed(errors: bytes, paths: list[str]) -> str:
    """Return the path that is named in an error, the last one if several are."""
    return next((path for path in reversed(paths) if os.fsencode(path) in errors), paths[0])
