"""Files on the host, read and written whole: each operation happens or leaves nothing behind.

Data that comes over the connection may end early, so every script is told its length and undoes
what it did if less has come. After a cut the file itself tells whether the operation happened.
"""

from __future__ import annotations

import contextlib
import os
import posixpath
import shlex
from typing import TYPE_CHECKING

from csf_backup_plugin.hosts.ssh.connection import Cut
from csf_backup_plugin.hosts.ssh.errors import NOT_A_FILE, TORN, check, os_error

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from csf_backup_plugin.hosts.ssh.connection import Connection
    from csf_backup_plugin.hosts.ssh.session import Answer

_READ = f"""
if [ -f "$1" ]; then cat -- "$1"
elif [ -e "$1" ] || [ -L "$1" ]; then exit {NOT_A_FILE}
else cat -- "$1"; fi
"""
# Makes the file $1, which must not exist, of $2 bytes of standard input.
_MAKE = """
make() {
  ( set -C; exec 3>"$1" && set +C && { cat >&3 && [ "$(stat -c %s -- "$1")" = "$2" ] &&
    sync -- "$1" || { rm -f -- "$1"; exit 1; } } )
}
"""
_CREATE = _MAKE + """make "$1" "$2" && { sync -- "${1%/*}/" || { rm -f -- "$1"; exit 1; }; }"""
# Gives the file $1 another name, which nothing may have yet; it keeps the old one where the file
# system has hard links. What FAT and some network file systems say to them stands here.
_NAME = """
name() {
  said=$(ln -T -- "$1" "$2" 2>&1) && return
  case $said in
  *"not permitted"*|*"not supported"*|*"not implemented"*) ;;
  *) printf "%s\\n" "$said" >&2; return 1;;
  esac
  if [ -e "$2" ] || [ -L "$2" ]; then echo "File exists" >&2; return 1; fi
  mv -T -- "$1" "$2"
}
"""
# $3: what is done with the temporary file; $4: the file whose permissions it gets, or nothing.
_TEMPORARY = (
    _MAKE
    + _NAME
    + """
temporary="${1%/*}/.csf-$$.tmp"
make "$temporary" "$2" || exit 1
trap 'rm -f -- "$temporary"' EXIT
if [ -n "$4" ] && [ -e "$4" ]; then
  chown --reference "$4" -- "$temporary" 2>/dev/null
  chmod "$(printf %o $((0$(stat -L -c %a -- "$4") & 0666)))" -- "$temporary" || exit 1
fi
case $3 in
replace) mv -Tf -- "$temporary" "$1" || exit 1;;
publish) name "$temporary" "$1" || exit 1;;
esac
sync -- "${1%/*}/"
"""
)
_APPEND = (
    _MAKE
    + f"""
[ -e "$1" ] || {{ cat -- "$1"; exit 1; }}
exec 4<>"$1" && flock 4 || exit 1
temporary="${{1%/*}}/.csf-$$.tmp"
make "$temporary" "$2" || exit 1
trap 'rm -f -- "$temporary"' EXIT
torn=$(tail -n 1 -- "$1" | tail -c 1 | od -An -tx1)
if [ "$torn" != " 0a" ]; then
  size=$(stat -L -c %s -- "$1") && length=$(tail -n 1 -- "$1" | wc -c) || exit 1
  [ "$length" -lt "$size" ] || exit {TORN}
  truncate -s "-$length" -- "$1" || exit 1
fi
cat -- "$temporary" >> "$1" && sync -- "$1"
"""
)
_SYNC = "xargs -0r sync --"
# Paths on standard input; $1 and so on are their directories, unless they are gone themselves.
# rm -d takes directories that are empty, and no others.
_REMOVE = """
xargs -0r rm -fd -- || exit
for path; do [ ! -d "$path" ] || sync -- "$path" || exit; done
"""
_MAKE_DIRECTORY = 'mkdir -- "$1" && sync -- "${1%/*}/"'
# Pairs of names on standard input; a dot for each file that has its new one. With $1, again after a
# cut: it may have it already.
_NAME_EACH = (
    "again=$1; export again; xargs -0r -n 1000 sh -c "
    + shlex.quote(
        _NAME
        + """
while [ $# -gt 0 ]; do
  if [ -n "$again" ] && [ -e "$2" ] && { [ ! -e "$1" ] || [ "$1" -ef "$2" ]; }; then :
  else name "$1" "$2" || exit 255; fi
  printf .; shift 2
done"""
    )
    + " sh"
)


def read(connection: Connection, path: str) -> bytes | None:
    """Return a file's contents, or None where there is no file."""
    answer = connection.ask(_READ, path)
    try:
        return check(answer, path).output
    except FileNotFoundError:
        return None


def create(connection: Connection, path: str, data: bytes) -> None:
    """Make a file that must not exist yet."""
    _write(connection, _CREATE, path, data, lambda now: now == data)


def publish(connection: Connection, path: str, data: bytes, how: str, like: str | None) -> None:
    """Let a file appear, or have other contents, all at once.

    Args:
        connection: to the host.
        path: the file.
        data: its contents.
        how: "publish" what must not exist yet, or "replace" what may.
        like: a file whose permissions, and if possible whose owner, it is to have.
    """
    _write(
        connection,
        *(_TEMPORARY, path, data, lambda now: now == data, how, like or ""),
        locked=how == "replace",
    )


def append(connection: Connection, path: str, lines: bytes) -> None:
    """Append whole lines; a last line without its newline is cut off first."""
    _write(connection, _APPEND, path, lines, lambda now: (now or b"").endswith(lines))


def _write(
    connection: Connection,
    script: str,
    path: str,
    data: bytes,
    done: Callable[[bytes | None], bool],
    *arguments: str,
    locked: bool = False,
) -> None:
    """Run a script that writes a file; after a cut, see whether it did before it is run again."""
    while True:
        try:
            answer = connection.run(
                script, path, str(len(data)), *arguments, data=data, locked=locked
            )
        except Cut:
            connection.reconnect()
            if done(read(connection, path)):
                return
        else:
            check(answer, path)
            return


def sync(connection: Connection, paths: Iterable[str]) -> None:
    """Bring files and their names to the disk."""
    files = list(paths)
    _each(connection, _SYNC, [*files, *_directories(files)])


def remove(connection: Connection, paths: Iterable[str]) -> None:
    """Delete files and empty directories, as far as they are there."""
    gone = list(paths)
    _each(connection, _REMOVE, gone, *_directories(gone))


def _directories(paths: list[str]) -> list[str]:
    return list(dict.fromkeys(posixpath.dirname(path) + "/" for path in paths))


def make_directory(connection: Connection, path: str) -> None:
    """Make a directory that must not exist yet."""
    check(connection.run(_MAKE_DIRECTORY, path), path)


def move(connection: Connection, moves: Iterable[tuple[str, str]]) -> None:
    """Give files other names, replacing nothing.

    Each keeps its old name until the new one has reached the disk.
    """
    pairs = list(moves)
    answer = _name_each(connection, [path for pair in pairs for path in pair])
    named = pairs[: len(answer.output)]
    sync(connection, [new for _, new in named])
    remove(connection, [old for old, _ in named])
    if len(named) < len(pairs):
        raise os_error(answer, pairs[len(named)][0])


def _name_each(connection: Connection, paths: list[str]) -> Answer:
    again = ""
    while True:
        try:
            return connection.run(_NAME_EACH, again, data=_joined(paths))
        except Cut:
            connection.reconnect()
            again = "again"


def _each(connection: Connection, script: str, paths: list[str], *arguments: str) -> None:
    """Run a script that does no harm when it is run again, on many paths."""
    if paths:
        answer = connection.ask(script, *arguments, data=_joined(paths))
        check(answer, _blamed(answer.errors, paths))


def _blamed(errors: bytes, paths: list[str]) -> str:
    """Return the path that is named in an error, the last one if several are."""
    with contextlib.suppress(StopIteration):
        return next(path for path in reversed(paths) if os.fsencode(path) in errors)
    return paths[0]


def _joined(paths: Iterable[str]) -> bytes:
    return b"".join(os.fsencode(path) + b"\0" for path in paths)
