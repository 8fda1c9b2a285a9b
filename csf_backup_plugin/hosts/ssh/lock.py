"""A repository's lock, held on the host by a shell that lives as long as its session.

The shell has the lock file open as descriptor 9, locked by flock(1): the same lock that the local
host takes. It starts osbackup, which inherits the descriptor. Should the connection be cut, the
shell reads the end of its input and goes; the lock stays with osbackup, if that runs.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import select
import subprocess
from typing import TYPE_CHECKING

from csf_backup_plugin import interrupts
from csf_backup_plugin.errors import LockBusy
from csf_backup_plugin.hosts.ssh.connection import Answer, Cut
from csf_backup_plugin.hosts.ssh.errors import NOT_A_FILE, os_error
from csf_backup_plugin.names import shown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from csf_backup_plugin.hosts.ssh.connection import Connection

# $1 the file, $2 what for, $3 seconds to wait, $4 whether it may be made. Says a word a line.
_HOLD = f"""
signature=$(printf 'csf %s (process %s on %s since %s)' \
  "$2" $$ "$(uname -n)" "$(date '+%Y-%m-%d %H:%M:%S%:z')")
made=; told=; deadline=$(($(date +%s%N) / 1000000 + $3))
holder() {{ head -c 500 -- "$1" | tr -c '[:print:]' ' '; }}
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
  if flock -n 9; then
    [ "$(stat -L -c %d:%i /proc/self/fd/9)" = "$(stat -c %d:%i -- "$1" 2>/dev/null)" ] && break
  else
    now=$(($(date +%s%N) / 1000000))
    [ $now -lt $deadline ] || {{ printf "busy %s\\n" "$(holder "$1")"; exit 0; }}
    [ -n "$told" ] || {{ printf "waiting %s\\n" "$(holder "$1")"; told=1; }}
    made=
    flock -w 0.1 9
  fi
done
case $(head -c 4 -- "$1") in
''|'csf ') [ -n "$4" ] && printf %s "$signature" 2>/dev/null > "$1";;
esac
echo held
while IFS= read -r order; do
  case $order in
  release) flock -u 9; exit 0;;
  discard)
    [ -n "$made" ] || exit 0
    exec 9>&- 8<"$1" && flock -w 2 8 && rm -f -- "$1"
    exit 0;;
  *) ( eval "$order" ); echo "started $?";;
  esac
done
"""


class SshLock:
    """A lock held by a session.

    Args:
        connection: to the host.
        process: the session's ssh.
        mark: what its output stands between.
        path: the lock file.
    """

    def __init__(
        self, connection: Connection, process: subprocess.Popen[bytes], mark: str, path: str
    ) -> None:
        self._connection = connection
        self._process = process
        self._path = path
        self._mark = mark
        self._end = f"{mark} "
        self._said = b""
        self._gone = False

    def begin(self) -> None:
        """Pass over what a login shell says before ours."""
        while self.answer() != self._mark:
            pass

    def tell(self, order: str) -> None:
        """Let the shell do something that it does not answer; one that is gone does nothing."""
        assert self._process.stdin is not None
        with contextlib.suppress(OSError):
            self._process.stdin.write(order.encode("utf-8", "surrogateescape") + b"\n")
            self._process.stdin.flush()

    def answer(self, *, interruptible: bool = True) -> str:
        """Return the next line the shell says.

        Args:
            interruptible: whether a signal that asks us to end ends the wait.

        Raises:
            Cut: it is gone.
            OSError: it has failed.
        """
        while b"\n" not in self._said and self._read():
            if interruptible:
                interrupts.check()
        raw, _, self._said = self._said.partition(b"\n")
        line = raw.decode("utf-8", "replace")
        assert self._process.stderr is not None
        if line.startswith(self._end):
            status = int(line.removeprefix(self._end))
            raise os_error(Answer(status, b"", self._process.stderr.read()), self._path)
        if self._gone and not raw:
            raise self._connection.unreachable(self._process.stderr.read(), Cut)
        return line

    def _read(self) -> bool:
        """Wait a moment for more; return false once nothing more will come."""
        assert self._process.stdout is not None
        if not self._gone and select.select([self._process.stdout], [], [], 0.05)[0]:
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
    mark = secrets.token_hex(16)
    arguments = (path, purpose, str(int(wait * 1000)), "1" if create else "")
    process = connection.session(_HOLD, arguments, mark)
    lock = SshLock(connection, process, mark, path)
    try:
        yield _acquired(lock, path, wait, waiting)
    except BaseException:
        lock.tell("discard")
        _end(process)
        raise
    else:
        lock.tell("release")
        _end(process)
    finally:
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout, process.stderr):
            assert pipe is not None
            with contextlib.suppress(OSError):
                pipe.close()


def _acquired(
    lock: SshLock, path: str, wait: float, waiting: Callable[[str], None]
) -> SshLock | None:
    """Return the lock once it is held; None where nobody holds it and no file is to be made."""
    lock.begin()
    while True:
        word, _, holder = lock.answer().partition(" ")
        holder = holder or "another process"
        if word == "held":
            return lock
        if word == "none":
            return None
        if word == "busy":
            raise LockBusy(
                f"The repository is locked: {shown(path)} is held by {holder}.",
                "Run the command again when that has ended, or let it wait longer for its turn.",
            )
        if word == "waiting":
            waiting(f"waiting up to {wait:g} s for {holder}")


def _end(process: subprocess.Popen[bytes]) -> None:
    """Let a session end by itself, which it does at once if its host is there."""
    assert process.stdin is not None
    with contextlib.suppress(OSError):
        process.stdin.close()
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(5)
