"""A repository's lock, held on the host by a shell that lives as long as its session.

The shell has the lock file open as descriptor 9, locked by flock(1): the same lock that the local
host takes. It starts osbackup, which inherits the descriptor. Should the connection be cut, the
shell reads the end of its input and goes; the lock stays with osbackup, and another shell queues up
for it, to have it as soon as osbackup has ended.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import select
import shlex
import subprocess
import time
from typing import TYPE_CHECKING

from csf_backup_plugin import interrupts
from csf_backup_plugin.errors import LockBusy
from csf_backup_plugin.hosts.ssh.client import tell
from csf_backup_plugin.hosts.ssh.connection import Cut
from csf_backup_plugin.hosts.ssh.errors import NOT_A_FILE, os_error
from csf_backup_plugin.hosts.ssh.session import Answer
from csf_backup_plugin.names import shown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from csf_backup_plugin.hosts.ssh.connection import Connection

_FOREVER = 1e9  # seconds
_REGAIN = 60.0  # seconds for which another holder is waited for once osbackup has ended
# $1 the file, $2 what for, $3 milliseconds to wait, $4 whether it may be made. Says a word a line;
# while it waits it says something each second, so that it goes when nobody is there to hear it.
_HOLD = f"""
now() {{ echo $(($(date +%s%N) / 1000000)); }}
holder() {{ head -c 500 -- "$1" | tr -c '[:print:]' ' '; }}
ours() {{ [ "$(stat -L -c %d:%i /proc/self/fd/9)" = "$(stat -c %d:%i -- "$1" 2>/dev/null)" ]; }}
signature=$(printf 'csf %s (process %s on %s since %s)' \
  "$2" $$ "$(uname -n)" "$(date '+%Y-%m-%d %H:%M:%S%:z')")
made=; told=; deadline=$(($(now) + $3))
while :; do
  if [ ! -e "$1" ] && [ ! -L "$1" ]; then
    if [ -z "$4" ]; then
      [ -d "${{1%/*}}/" ] || {{ ls -- "${{1%/*}}/"; exit 1; }}
      [ -w "${{1%/*}}/" ] || {{ echo "Permission denied" >&2; exit 1; }}
      echo none; read -r order; exit 0
    fi
    if ( umask 0; set -C; : > "$1" ); then made=1; else [ -e "$1" ] || exit 1; fi
  fi
  [ -L "$1" ] && {{ echo "Too many levels of symbolic links" >&2; exit 1; }}
  [ -e "$1" ] && [ ! -f "$1" ] && exit {NOT_A_FILE}
  if [ -w "$1" ]; then exec 9<>"$1"; else exec 9<"$1"; fi || exit 1
  until flock -n 9; do
    made=; left=$((deadline - $(now)))
    [ $left -gt 0 ] || {{ printf "busy %s\\n" "$(holder "$1")"; exit 0; }}
    [ -n "$told" ] || {{ printf "waiting %s\\n" "$(holder "$1")"; told=1; }}
    [ $left -lt 1000 ] || left=1000
    flock -w "$(printf %d.%03d $((left / 1000)) $((left % 1000)))" 9 && break
    echo still || exit 1
  done
  ours "$1" && break
done
case $(head -c 4 -- "$1") in
''|'csf ') [ -n "$4" ] && printf %s "$signature" 2>/dev/null > "$1";;
esac
echo held
while read -r order; do
  case $order in
  release) flock -u 9; exit 0;;
  discard)
    [ -n "$made" ] || exit 0
    exec 9>&- 8<"$1" && flock -w 2 8 && rm -f -- "$1"
    exit 0;;
  *) ( eval "$(head -c "$order")" ); echo "ended $?";;
  esac
done
"""


class SshLock:
    """A lock held by a session.

    Args:
        connection: to the host.
        path: the lock file.
        purpose: what it is held for; others who wait are told.
        create: whether the lock file may be made.

    Attributes:
        login: the login within which it is waited for or held.
        held: whether it was had within that login.
    """

    def __init__(self, connection: Connection, path: str, purpose: str, *, create: bool) -> None:
        self._connection = connection
        self._path = path
        self._purpose = purpose
        self._create = create
        self._process: subprocess.Popen[bytes] | None = None
        self.login = 0
        self.held = False

    def queue(self, wait: float) -> None:
        """Begin to wait for the lock, in a new session.

        Args:
            wait: how long at most, in seconds.
        """
        self.close()
        self._mark = secrets.token_hex(16)
        self._said, self._gone, self.held = b"", False, False
        arguments = (self._path, self._purpose, f"{wait * 1000:.0f}", "1" if self._create else "")
        self._process = self._connection.session(_HOLD, arguments, self._mark)
        self.login = self._connection.logins
        while self._answer() != self._mark:  # what a login shell says before ours
            pass

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
        holder = "another process"
        while not self.held:
            word, _, named = self._answer().partition(" ")
            holder = named or holder
            if word == "none":
                return False
            if word == "busy" or time.monotonic() >= until:
                raise LockBusy(
                    f"The repository is locked: {shown(self._path)} is held by {holder}.",
                    "Run the command again when that has ended, or let it wait longer for its "
                    "turn.",
                )
            if word == "waiting":
                waiting(holder)
            if word == "held":
                self.held, self._connection.bound = True, self.login
        return True

    def requeue(self) -> None:
        """Queue up again if the connection was cut, behind the utility that inherited the lock."""
        if self._gone or self.login != self._connection.logins:
            self.queue(_FOREVER)
        self._read(0)

    def regain(self) -> None:
        """Hold the lock again if the connection was cut, now that the utility has ended.

        Raises:
            LockBusy: another holder has it, and keeps it for `_REGAIN`.
        """
        until = time.monotonic() + _REGAIN
        while not self.held or self.login != self._connection.logins:
            try:
                self.requeue()
                self.await_held(until)
            except Cut:
                self._connection.reconnect()

    def run(self, script: str, *arguments: str) -> Answer:
        """Let the shell that holds the lock run a script, all of whose output is lines.

        Raises:
            Cut: the shell is gone.
        """
        order = os.fsencode(f"set -- {shlex.join(arguments)}\n(\n{script}\n) 2>&1")
        self._tell(b"%d\n%s" % (len(order), order))
        said = []
        while not (line := self._answer(interruptible=False)).startswith("ended "):
            said.append(line)
        return Answer(int(line.removeprefix("ended ")), b"", "\n".join(said).encode())

    def end(self, order: bytes) -> None:
        """Let a shell that holds the lock go, which it does at once if its host is there."""
        if self.held and self._process is not None:
            self._connection.bound = 0
            self._tell(order + b"\n")
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(5)
        self.close()

    def close(self) -> None:
        """End the session; one that waits finds out within a second, and goes."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            with process, contextlib.suppress(OSError):
                pass

    def _tell(self, words: bytes) -> None:
        assert self._process is not None
        tell(self._process, words)

    def _answer(self, *, interruptible: bool = True) -> str:
        """Return the next line the shell says.

        Raises:
            Cut: it is gone.
            OSError: it has failed.
        """
        while b"\n" not in self._said and self._read(0.05):
            if interruptible:
                interrupts.check()
        raw, _, self._said = self._said.partition(b"\n")
        line = raw.decode("utf-8", "replace")
        if line.startswith(f"{self._mark} "):
            status = int(line.removeprefix(f"{self._mark} "))
            raise os_error(Answer(status, b"", self._errors()), self._path)
        if self._gone and not raw:
            raise self._connection.unreachable(self._errors(), Cut)
        return line

    def _errors(self) -> bytes:
        assert self._process is not None
        assert self._process.stderr is not None
        return self._process.stderr.read().rpartition(f"\n{self._mark}\n".encode())[2]

    def _read(self, wait: float) -> bool:
        """Take in what comes within `wait` seconds; return false once nothing more will come."""
        assert self._process is not None
        assert self._process.stdout is not None
        if not self._gone and select.select([self._process.stdout], [], [], wait)[0]:
            more = os.read(self._process.stdout.fileno(), 65536)
            self._said += more
            self._gone = not more
        return not self._gone


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
        lock.end(b"discard")
        raise
    lock.end(b"release")
