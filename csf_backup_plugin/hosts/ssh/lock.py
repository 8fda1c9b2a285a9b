"""A repository's lock, held on the host by a shell that lives as long as its session.

The shell has the lock file open as descriptor 9, locked by flock(1): the same lock that the local
host takes. It starts osbackup, which inherits the descriptor. Should the connection be cut, the
shell reads the end of its input and goes; the lock stays with osbackup, and another shell queues up
for it, to have it as soon as osbackup has ended.
"""

from __future__ import annotations

import contextlib
import os
import shlex
import socket
import time
from typing import TYPE_CHECKING

from csf_backup_plugin.errors import LockBusy
from csf_backup_plugin.hosts.lock_holder import HELD_BY, holder
from csf_backup_plugin.hosts.ssh.connection import Cut
from csf_backup_plugin.hosts.ssh.dialogue import Dialogue
from csf_backup_plugin.hosts.ssh.errors import NOT_A_FILE, os_error
from csf_backup_plugin.hosts.ssh.session import Answer
from csf_backup_plugin.names import shown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from csf_backup_plugin.hosts.ssh.connection import Connection

_FOREVER = 1e9  # seconds
_REGAIN = 60.0  # seconds for which another holder is waited for once osbackup has ended
# $1 the file, $2 what for, $3 milliseconds to wait, $4 whether it may be made, $5 who we are. Says
# a word a line; while it waits it says something each second, so that it goes when nobody is there
# to hear it.
_HOLD = f"""
{HELD_BY}
now() {{ echo $(($(date +%s%N) / 1000000)); }}
ours() {{ [ "$(stat -L -c %d:%i /proc/self/fd/9)" = "$(stat -c %d:%i -- "$1" 2>/dev/null)" ]; }}
# The file may have been removed under its lock, and is not made anew.
clear_text() {{ [ -z "$csf_signed" ] || ! ours "$1" || : > "$1"; }}
unsupported() {{
  case $1 in
  *"No locks available"*|*"not supported"*|*"not implemented"*) ;;
  *) printf "%s\n" "$1" >&2; return 1;;
  esac
  printf "unsupported %s\n" "$1"
}}
csf_holder=$(exec sh -c 'echo $PPID')
csf_born=$(sed 's/.*) //' "/proc/$csf_holder/stat" | cut -d ' ' -f 20)
signature=$(printf 'csf %s (process %s, by process %s on %s, since %s)\\n%s %s %s\\n.' \
  "$2" "$5" "$csf_holder" "$(uname -n)" "$(date '+%Y-%m-%d %H:%M:%S%:z')" \
  "$csf_holder" "$csf_born" "$(cat /proc/sys/kernel/random/boot_id)")
csf_signed=
made=; told=; deadline=$(($(now) + $3))
while :; do
  if [ ! -e "$1" ] && [ ! -L "$1" ]; then
    if [ -z "$4" ]; then
      [ -d "${{1%/*}}/" ] || {{ ls -- "${{1%/*}}/"; exit 1; }}
      echo none; read -r order; exit 0
    fi
    if ( umask 0; set -C; : > "$1" ); then made=1; else [ -e "$1" ] || exit 1; fi
  fi
  [ -L "$1" ] && {{ echo "Too many levels of symbolic links" >&2; exit 1; }}
  [ -e "$1" ] && [ ! -f "$1" ] && exit {NOT_A_FILE}
  if ( : 9<>"$1" ) 2>/dev/null; then exec 9<>"$1"; else exec 9<"$1"; fi || exit 1
  until said=$(flock -n 9 2>&1); do
    case $? in
    1) ;;
    *) unsupported "$said" && break; [ -z "$made" ] || rm -f -- "$1"; exit 1;;
    esac
    made=; left=$((deadline - $(now)))
    [ $left -gt 0 ] || {{ printf "busy %s\\n" "$(held_by "$1")"; exit 0; }}
    [ -n "$told" ] || {{ printf "waiting %s\\n" "$(held_by "$1")"; told=1; }}
    [ $left -lt 1000 ] || left=1000
    flock -w "$(printf %d.%03d $((left / 1000)) $((left % 1000)))" 9 && break
    echo still || exit 1
  done
  ours "$1" && break
done
case $(head -c 4 -- "$1") in
''|'csf ') ( printf %s "${{signature%.}}" > "$1" ) 2>/dev/null && csf_signed=$1;;
esac
echo held
while read -r order; do
  case $order in
  leave) exit 0;;
  release) clear_text "$1"; flock -u 9; exit 0;;
  discard)
    clear_text "$1"
    flock -u 9
    [ -n "$made" ] || exit 0
    exec 9>&- 8<"$1" && {{ flock -w 2 8 || [ $? != 1 ]; }} && rm -f -- "$1"
    exit 0;;
  *) ( eval "$(head -c "$order")" ); echo "ended $?";;
  esac
done
"""


class SshLock:
    """A lock held by a shell on the host.

    Args:
        connection: to the host.
        path: the lock file.
        purpose: what it is held for; others who wait are told.
        create: whether the lock file may be made.

    Attributes:
        unsupported, is_freed, is_left: see `Lock`.
    """

    unsupported = ""
    is_freed = True
    is_left = False

    def __init__(self, connection: Connection, path: str, purpose: str, *, create: bool) -> None:
        self._connection = connection
        self._path = path
        self._purpose = purpose
        self._create = create
        self._shell: Dialogue | None = None
        self._held = False
        self._before = 0  # the login within which an outer lock is held

    def is_of(self, connection: Connection) -> bool:
        """Tell whether it is held by a shell of that connection."""
        return self._connection is connection

    def queue(self, wait: float) -> None:
        """Begin to wait for the lock, for at most `wait` seconds."""
        self.close()
        milliseconds, create = f"{wait * 1000:.0f}", "1" if self._create else ""
        itself = f"{os.getpid()} on {socket.gethostname()}"
        arguments = (self._path, self._purpose, milliseconds, create, itself)
        self._shell = Dialogue(self._connection, _HOLD, arguments)

    def await_held(
        self, until: float, waiting: Callable[[str], None] = lambda _holder: None
    ) -> bool:
        """Return true once the lock is held; false where no file is there and none is to be made.

        Args:
            until: the monotonic time until which it is waited for, if the shell waits longer.
            waiting: told who holds it, if anybody does.

        Raises:
            LockBusy: another holder kept it.
            Cut: the shell is gone.
        """
        by, shell = holder("", self._path), self._talked_with()
        while not self._held:
            word, _, named = shell.answer().partition(" ")
            if word == "none":
                return False
            if word in ("busy", "waiting"):
                by = holder(named, self._path)
            if word == "busy" or time.monotonic() >= until:
                raise LockBusy(
                    f"The repository is locked: {shown(self._path)} on {self._connection.host} is "
                    f"held by {by.name}.",
                    by.next_step,
                )
            if word == "waiting":
                waiting(by.name)
            if word == "unsupported":
                words = Answer(1, b"", named.encode())
                self.unsupported = os_error(words, self._path).strerror or named
            if word == "held":
                self._held, self._before = True, self._connection.bound
                self._connection.bound = shell.login
        return True

    def requeue(self) -> None:
        """Queue up again if the connection was cut, behind the utility that inherited the lock."""
        if self._shell is None or self._shell.gone:
            self.queue(_FOREVER)

    def regain(self) -> None:
        """Hold the lock again if the connection was cut, now that the utility has ended.

        Raises:
            LockBusy: another holder has it, and keeps it for `_REGAIN`.
        """
        until = time.monotonic() + _REGAIN
        while True:
            try:
                self.requeue()
                self.await_held(until)
            except Cut as cut:
                self._connection.reconnect(cut)
            else:
                return

    def run(self, script: str, *arguments: str) -> Answer:
        """Let the shell that holds the lock run a script, all of whose output is lines.

        Raises:
            Cut: the shell is gone.
        """
        shell = self._talked_with()
        order = os.fsencode(f"set -- {shlex.join(arguments)}\n(\n{script}\n) 2>&1")
        shell.tell(b"%d\n%s" % (len(order), order))
        said = []
        while not (line := shell.answer(interruptible=False)).startswith("ended "):
            said.append(line)
        return Answer(int(line.removeprefix("ended ")), b"", "\n".join(said).encode())

    def end(self, order: bytes) -> None:
        """Let the shell go, if it holds the lock; one that waits finds out within a second."""
        if self._held:
            self._connection.bound = self._before
            self._talked_with().part(b"leave\n" if self.is_left else order)
        self.close()

    def close(self) -> None:
        """Hold the lock no more."""
        shell, self._shell, self._held = self._shell, None, False
        if shell is not None:
            shell.close()

    def _talked_with(self) -> Dialogue:
        assert self._shell is not None
        return self._shell


@contextlib.contextmanager
def held(
    connection: Connection,
    path: str,
    purpose: str,
    wait: float,
    waiting: Callable[[str], None],
    *,
    create: bool,
) -> Iterator[SshLock | None]:
    """Hold the lock file at `path` while the block runs; see `Host.lock`."""
    lock = SshLock(connection, path, purpose, create=create)
    try:
        lock.queue(wait)
        there = lock.await_held(
            float("inf"), lambda holder: waiting(f"waiting up to {wait:g} s for {holder}")
        )
        yield lock if there else None
    except BaseException:
        lock.end(b"discard\n")
        raise
    lock.end(b"release\n")
