"""osbackup at work on the host, detached: a connection that is cut neither ends nor repeats it.

It runs in a session of its own, below a shell that writes down in the record how it ended. The
record is a directory beside the image, of four files: `started`, the time; `pid`, the process group
and the boot it belongs to; `output`; and `status`, which is "running" until the end. All of them
have their room on the disk before osbackup is started, so that a full disk does not silence it.
"""

from __future__ import annotations

import contextlib
import shlex
import time
from typing import TYPE_CHECKING

from csf_backup_plugin import interrupts
from csf_backup_plugin.errors import BackupError, HostUnreachable
from csf_backup_plugin.hosts import shared
from csf_backup_plugin.hosts.protocol import Completed
from csf_backup_plugin.hosts.ssh.connection import Cut
from csf_backup_plugin.hosts.ssh.errors import check
from csf_backup_plugin.hosts.ssh.session import RESTORE_LOCALE

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from csf_backup_plugin.hosts.ssh.connection import Connection
    from csf_backup_plugin.hosts.ssh.lock import SshLock

_POLLS = (0.02, 0.5, 5.0)  # seconds between two looks: at first, at most, and without a connection
_SILENCE = 10.0  # seconds without an answer after which the caller may look at its time limit
_LONG_SILENCE = 160.0  # seconds likewise, on a host that was too slow for less
_ROOM = 1 << 16  # bytes of output that have their room on the disk
_NOT_BEGUN = 83  # an exit status of ours: nobody knows whether it will begin yet

# $0 the record, then the command. What that prints is kept by a process that outlives it; the last
# words come after the status.
_WRAPPER = f"""
printf "%-63s\\n" "$$ $(cat /proc/sys/kernel/random/boot_id)" 1<>"$0/pid" || exit
{{ ( {RESTORE_LOCALE} "$@" ) 2>&1; printf "%-7s\\n" $? 1<>"$0/status"; }} |
  ( exec 9>&-; {shared.KEEP} )
"""
# Waits until the wrapper of the record $1 is at work.
_BEGUN = """
begun() {
  count=0; word=
  while read -r word boot < "$1/pid"; [ "${word:-starting}" = starting ]; do
    [ $((count += 1)) -lt 500 ] && sleep 0.02 || return 1
  done 2>/dev/null
}
"""
# $1 the record, then the command. The directory can be made once: so can the start be. Init is to
# be its parent, and see to its end; and no later login of ours is to end it.
_START = (
    _BEGUN
    + f"""
mkdir -- "$1" || exit 1
{{ date -u +%Y-%m-%dT%H:%M:%S+00:00 > "$1/started" && printf '%-63s\\n' starting > "$1/pid" &&
  printf '%-7s\\n' running > "$1/status" && head -c {_ROOM} /dev/zero > "$1/output"; }} || {{
  rm -f -- "$1/started" "$1/pid" "$1/status" "$1/output"; rmdir -- "$1"; exit 1
}}
( setsid env $csf_signals -u csf_run sh -c {shlex.quote(_WRAPPER)} "$@" \
  </dev/null 1<>"$1/output" 2>&1 & )
begun "$1" || exit {_NOT_BEGUN}
"""
)
# $1 the record, made by whoever comes first; tells whether that was the start.
_CLAIM = _BEGUN + 'mkdir -- "$1" 2>/dev/null && exit 1; begun "$1"'
# Tells whether anybody in the process group of the record $1 runs; who waits to be buried does not,
# and after another boot nobody does.
_ALIVE = r"""
alive() {
  read -r group boot < "$1/pid" && [ "$boot" = "$(cat /proc/sys/kernel/random/boot_id)" ] &&
    cat /proc/[0-9]*/stat 2>/dev/null |
    sed -n 's/.*) \(.\) [0-9]* \([0-9]*\) .*/\1 \2/p' | grep -qx "[^Z] $group"
}
"""
# $1 the record, $2 the file that grows, $3 how much of the output. Dead while "running": 137. What
# is left behind, in the group, may keep the output for longer than it is waited for.
_POLL = (
    _ALIVE
    + """
stat -L -c %s -- "$2" 2>/dev/null || echo 0
[ -f "$1/status" ] || cat -- "$1/status" || exit 1
dead=; alive "$1" || dead=1
read -r status < "$1/status"
case $status in
''|running) [ -n "$dead" ] || { echo; exit 0; }; status=137;;
esac
echo "$status"
count=0; while alive "$1" && [ $((count += 1)) -lt 50 ]; do sleep 0.02; done
tr -d '\\000' < "$1/output" | tail -c "$3"
"""
)
# $1 the record. Ends whatever of the group is left: asked first, then made to.
_STOP = (
    _BEGUN
    + _ALIVE
    + """
mkdir -- "$1" 2>/dev/null && exit 0
[ -d "$1" ] && begun "$1" || exit 0
read -r group boot < "$1/pid"
ended() { read -r status < "$1/status"; [ "${status:-running}" != running ]; }
ended "$1" || ! alive "$1" || kill -TERM "-$group" 2>/dev/null
count=0
while alive "$1" && [ $((count += 1)) -le 100 ]; do
  if ended "$1" || [ $count -gt 50 ]; then kill -KILL "-$group" 2>/dev/null; fi
  sleep 0.1
done
"""
)


class Job:
    """A utility at work.

    Args:
        connection: to its host.
        record: the directory that is kept about it.
        watched: the file whose growth `poll` reports.
        lock: what it has inherited.
    """

    def __init__(
        self, connection: Connection, record: str, watched: str, lock: SshLock | None
    ) -> None:
        self._connection = connection
        self._record = record
        self._watched = watched
        self._lock = lock
        self._at_work = False
        self._size = 0
        self._pause, self._longest, self._without = _POLLS
        self._silence = _SILENCE

    def start(self, argv: Sequence[str]) -> None:
        """Start it, once.

        Raises:
            FileExistsError: the record is another run's.
            Cut: it was not started.
            Interrupted: likewise: a signal came first.
        """
        interrupts.check()
        run = self._lock.run if self._lock else self._connection.run
        self._at_work = True
        try:
            answer = run(_START, self._record, *argv)
        except Cut as cut:
            self._connection.reconnect(cut)
            self._at_work = not self._connection.ask(_CLAIM, self._record).status
            if not self._at_work:
                raise
        else:
            self._at_work = answer.status in (0, _NOT_BEGUN)
            check(answer, self._record)

    def poll(self) -> tuple[Completed | None, int]:
        """Wait a moment; return how it ended, once it has, and the watched file's size so far.

        While there is no connection, it is tried again: what it does there is not known.
        """
        interrupts.check()
        time.sleep(self._pause)
        arguments = (self._record, self._watched, str(shared.LAST_SAID))
        try:
            until = time.monotonic() + self._silence
            answer = self._connection.run(_POLL, *arguments, grace=0, until=until)
            if self._lock:
                self._lock.requeue()
        except (HostUnreachable, TimeoutError) as error:
            if isinstance(error, TimeoutError):  # a host may be slow, and is to be heard some time
                self._silence = min(self._silence * 2, _LONG_SILENCE)
            self._pause = min(self._pause * 1.3, self._without)
            return None, self._size
        self._pause = min(self._pause * 1.3, self._longest)
        size, status, output = check(answer, self._record).output.split(b"\n", 2)
        self._size = int(size)
        if not status:
            return None, self._size
        if self._lock:
            self._lock.regain()
        return Completed(shared.as_wait_status(int(status)), output), self._size

    def stop(self) -> None:
        """End whatever of it still runs.

        Raises:
            HostUnreachable: nobody knows what it does.
        """
        if self._at_work:
            self._connection.ask(_STOP, self._record)


@contextlib.contextmanager
def started(
    connection: Connection, argv: Sequence[str], watched: str, lock: SshLock | None, record: str
) -> Iterator[Job]:
    """Run a utility while the block runs; see `Host.start`."""
    job = Job(connection, record, watched, lock)
    try:
        job.start(argv)
        yield job
    except BackupError as error:
        try:
            job.stop()
        except HostUnreachable as gone:
            error.what += f" {gone.what} What was started there may still be running."
        raise
    except BaseException:
        job.stop()
        raise
    job.stop()
