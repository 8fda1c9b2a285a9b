"""Files on the host, read and written whole: each operation happens or leaves nothing behind.

Data that comes over the connection may end early, so every script is told its length and undoes
what it did if less has come. After a cut the file itself tells whether the operation happened.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from csf_backup_plugin.hosts.ssh.connection import Cut
from csf_backup_plugin.hosts.ssh.entries import NAME
from csf_backup_plugin.hosts.ssh.errors import NOT_A_FILE, TORN, check

if TYPE_CHECKING:
    from collections.abc import Callable

    from csf_backup_plugin.hosts.ssh.connection import Connection

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
# $3: what is done with the temporary file; $4: the file whose permissions it gets, or nothing.
_TEMPORARY = (
    _MAKE
    + NAME
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
