"""Files on the host, written whole: each operation happens or leaves nothing behind.

What is written stands aside first, in a file whose name is ours alone; our part of the work is to
take that away again. So after a cut it tells whether the operation happened, and whose work it was.
Data that comes over the connection may end early, so every script is told its length.
"""

from __future__ import annotations

import os
import posixpath
import secrets
from typing import TYPE_CHECKING, NamedTuple

from csf_backup_plugin.errors import BackupError, HostUnreachable
from csf_backup_plugin.hosts.common import ABANDONED
from csf_backup_plugin.hosts.protocol import CUT_SHORT
from csf_backup_plugin.hosts.ssh.access import TAKE_OVER
from csf_backup_plugin.hosts.ssh.connection import GRACE, Cut
from csf_backup_plugin.hosts.ssh.entries import NAME, OWNERS_ONLY, SYNC_DIRECTORY
from csf_backup_plugin.hosts.ssh.errors import LINK, MADE, NOT_A_FILE, PART, REPLACED, TORN, check
from csf_backup_plugin.names import shown

if TYPE_CHECKING:
    from csf_backup_plugin.hosts.ssh.connection import Connection
    from csf_backup_plugin.hosts.ssh.session import Answer

_ROOM = len(CUT_SHORT) + 1  # bytes before lines that are appended, at most


class _Work(NamedTuple):
    """Scripts; $1 is the file, $2 the bytes of standard input, $3 the name aside, $4 `like`.

    Attributes:
        script: does it.
        finished: tells whether it was done.
        undo: takes it back, as far as that can be, if it was done; that is known if there is a $5.
    """

    script: str
    finished: str
    undo: str


_TEMPORARY = f".csf-{'[0-9a-f]' * 16}.tmp"
# Removes what a csf of this user has left when it was killed, as `local.temporary` does; puts
# standard input aside, and lets those use that who may use the file $4, if there is one.
_ASIDE = (
    SYNC_DIRECTORY
    + OWNERS_ONLY
    + TAKE_OVER
    + f"""
umask o-w
find "${{3%/*}}/" -maxdepth 1 \\( -name '{_TEMPORARY}' -o -name '{_TEMPORARY}.own' \\) -type f \\
  -user "$(id -u)" \\( -links +1 -exec rm -f -- {{}} \\; -o \\
  -mmin +{ABANDONED // 60} -exec flock -n {{}} rm -f -- {{}} \\; \\) </dev/null >/dev/null 2>&1
"""
    + """
rm -f -- "$3" || exit
( set -C; exec 3>"$3" && set +C && cat >&3 && [ "$(stat -c %s -- "$3")" = "$2" ] &&
  sync -- "$3" ) || exit 1
if [ -n "$4" ] && [ -e "$4" ]; then take_over "$3" "$4" || exit 1; fi
"""
)
# Without hard links the file aside is gone afterwards; then $3.own tells whose work it was.
_OURS = """ours() { [ "$1" -ef "$3" ] || { [ -e "$3.own" ] && [ ! -e "$3" ]; }; }\n"""
_PUBLISH = _Work(
    NAME
    + _ASIDE
    + f"""
: > "$3.own" && name "$3" "$1" || exit 1
sync_directory "${{1%/*}}/" || {{ rm -f -- "$1" && exit 1; exit {MADE}; }}
""",
    _OURS + 'ours "$@"',
    _OURS + '{ [ -n "$5" ] || ours "$@"; } && rm -f -- "$1" && sync -- "${1%/*}/"',
)
_REPLACE = _Work(
    """[ -z "$4" ] || [ ! -e "$1" ] || set -- "$1" "$2" "$3" "$1"\n"""
    + _ASIDE
    + f"""
owners_only "${{1%/*}}/" mv -Tf -- "$3" "$1"
sync_directory "${{1%/*}}/" || exit {REPLACED}
""",
    """[ ! -e "$3" ] && [ "$(cksum < "$1")" = "$(cksum)" ]""",
    "false",
)
# dd opens no file through a link and makes none, and writes what fits into a block at once.
_APPEND = _Work(
    _ASIDE
    + f"""
[ ! -L "$1" ] || exit {LINK}
[ -e "$1" ] || {{ cat -- "$1"; exit 1; }}
[ -f "$1" ] || [ -d "$1" ] || exit {NOT_A_FILE}
if [ -d "$1" ] || ( : 4<>"$1" ) 2>/dev/null; then exec 4<>"$1"; else exec 4<"$1"; fi || exit 1
locked=1
said=$(flock 4 2>&1) || case $said in
*"No locks available"*|*"not supported"*|*"not implemented"*) locked=;;
*) printf "%s\\n" "$said" >&2; exit 1;;
esac
whole=$3; size=$(stat -L -c %s -- "$1") || exit 1
if [ "$(tail -c 1 -- "$1" | od -An -tx1)" != " 0a" ]; then
  length=$(tail -n 1 -- "$1" | wc -c) || exit 1
  [ "$length" -lt "$size" ] || exit {TORN}
  whole=$3.own
  {{ printf '%s\\n' '{CUT_SHORT.decode("ascii")}' && cat -- "$3"; }} > "$whole" || exit 1
fi
dd if="$whole" of="$1" bs=$(($2 + {_ROOM})) oflag=append,nofollow conv=notrunc,nocreat,fsync \\
  status=none && exit
[ -n "$locked" ] && truncate -s "$size" /proc/self/fd/4 2>/dev/null && exit 1
exit {PART}
""",
    """[ -e "$3" ] && [ "$(tail -c "$2" -- "$1" | cksum)" = "$(cksum < "$3")" ]""",
    "false",
)
_CLEAR = """rm -f -- "$3" "$3.own" """


def publish(connection: Connection, path: str, data: bytes, like: str | None = None) -> str:
    """Let a file that must not exist yet appear all at once; return who may not use it."""
    return _write(connection, _PUBLISH, path, data, like)


def replace(connection: Connection, path: str, data: bytes, like: str | None = None) -> str:
    """Let a file have other contents, all at once; not after a lock was held and is lost.

    Returns:
        Who may not use it.
    """
    return _write(connection, _REPLACE, path, data, like, locked=True)


def append(connection: Connection, path: str, lines: bytes) -> None:
    """Append whole lines, in one write that also ends a last line without its newline."""
    _write(connection, _APPEND, path, lines)


def _write(
    connection: Connection,
    work: _Work,
    path: str,
    data: bytes,
    like: str | None = None,
    *,
    locked: bool = False,
) -> str:
    aside = posixpath.join(posixpath.dirname(path), f".csf-{secrets.token_hex(8)}.tmp")
    arguments = (path, str(len(data)), aside, like or "")
    known = ""
    try:
        answer = _done_once(connection, work, arguments, data, locked=locked)
        known = "" if answer.status else "known"
        connection.ask(_CLEAR, *arguments, grace=GRACE)
    except BackupError as error:
        try:
            connection.ask(f"{work.undo}\n{_CLEAR}", *arguments, known)
        except HostUnreachable:
            error.left = f"It is not known whether {shown(path)} was written on {connection.host}."
        raise
    return os.fsdecode(check(answer, path).output).strip()


def _done_once(
    connection: Connection,
    work: _Work,
    arguments: tuple[str, ...],
    data: bytes,
    *,
    locked: bool,
) -> Answer:
    """Do some work; after a cut, see whether it was done before it is tried again."""
    while True:
        try:
            return connection.run(work.script, *arguments, data=data, locked=locked)
        except Cut as cut:
            connection.reconnect(cut)
            answer = connection.ask(work.finished, *arguments, data=data)
            if not answer.status:
                return answer
