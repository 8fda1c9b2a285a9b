"""osbackup at work on the host, detached: a connection that is cut neither ends nor repeats it.

It runs below a guardian (see `hosts.guardian`), in a session of its own; what keeps its output runs
in another, whose process is in the file `keeper` of the record, with a token of the run: during a
long cut osrestore may end, and another restore may begin with a record of the same name. All of the
record has its room on the disk before osbackup is started, so that a full disk does not silence it.
"""

from __future__ import annotations

import contextlib
import secrets
import shlex
import time
from typing import TYPE_CHECKING

from csf_backup_plugin.errors import BackupError, HostUnreachable, LockBusy
from csf_backup_plugin.hosts import common, guardian
from csf_backup_plugin.hosts.protocol import Completed
from csf_backup_plugin.hosts.ssh.connection import Cut
from csf_backup_plugin.hosts.ssh.errors import check
from csf_backup_plugin.hosts.ssh.session import RESTORE_LOCALE
from csf_backup_plugin.names import shown

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from csf_backup_plugin.hosts.ssh.connection import Connection
    from csf_backup_plugin.hosts.ssh.lock import SshLock

_POLLS = (0.02, 0.5, 5.0)  # seconds between two looks: at first, at most, and without a connection
_SILENCE = 10.0  # seconds without an answer after which the caller may look at its time limit
_LONG_SILENCE = 160.0  # seconds likewise, on a host that was too slow for less
_UNKNOWN = "unknown"  # what is said of an end that nobody has seen
_NOT_BEGUN = 83  # exit statuses of ours: nobody knows whether it will begin yet
_LEFT = 84  # it cannot be ended
_ANOTHERS = 85  # the record is another run's by now

# Waits until the utility of the record $1 has begun.
_BEGUN = f"""
begun() {{
  count=0; word=
  while read -r word boot < "$1/pid"; [ "${{word:-{guardian.STARTING}}}" = {guardian.STARTING} ]; do
    [ $((count += 1)) -lt 500 ] && sleep 0.02 || return 1
  done 2>/dev/null
}}
"""
# $1 the record, $2 the token, then the command. The directory can be made once: so can the start
# be. Init is to be its parent, and see to its end; and no later login of ours is to end it.
# Descriptor 9 is the lock, if this is run by the shell that holds it, the process $csf_holder.
_START = (
    _BEGUN
    + f"""
record=$1 token=$2; shift 2
mkdir -- "$record" || exit 1
{{ date -u +%Y-%m-%dT%H:%M:%S+00:00 > "$record/started" &&
  printf '%-{guardian.PID_WIDTH}s\\n' {guardian.STARTING} > "$record/pid" &&
  printf '%-{guardian.STATUS_WIDTH}s\\n' {guardian.RUNNING} > "$record/status" &&
  printf '%-15s %s\\n' 0 "$token" > "$record/keeper" &&
  head -c {guardian.ROOM} /dev/zero > "$record/output"; }} || {{
  rm -f -- "$record/started" "$record/pid" "$record/status" "$record/keeper" "$record/output"
  rmdir -- "$record"; exit 1
}}
[ -z "${{csf_signed-}}" ] || printf '%s\\n%s\\n' "$record" "$*" >> "$csf_signed"
[ -n "${{csf_holder-}}" ] || exec 9</dev/null
(
  setsid env $csf_signals -u csf_run sh -c {shlex.quote(guardian.GUARDIAN)} "$record" \\
    {shlex.quote(guardian.utility(RESTORE_LOCALE))} "${{csf_holder-}}" "${{csf_born-}}" "$@" \\
    <&9 9<&- |
    setsid env -u csf_run sh -c {shlex.quote(common.KEEP)} 9<&- 1<>"$record/output" 2>/dev/null &
  printf %-15s $! 1<>"$record/keeper"
) >/dev/null
begun "$record" || exit {_NOT_BEGUN}
"""
)
# $1 the record, made by whoever comes first; tells whether that was the start.
_CLAIM = _BEGUN + 'mkdir -- "$1" 2>/dev/null && exit 1; begun "$1"'
# Tells whether anybody runs in the process group that the record $1 calls $2; who waits to be
# buried does not, and after another boot nobody does.
_LIVES = r"""
lives() {
  read -r utility boot guardian < "$1/pid" && read -r keeper _ < "$1/keeper" &&
    [ "$boot" = "$(cat /proc/sys/kernel/random/boot_id)" ] && eval "group=\$$2" &&
    cat /proc/[0-9]*/stat 2>/dev/null |
    sed -n 's/.*) \(.\) [0-9]* \([0-9]*\) .*/\1 \2/p' | grep -qx "[^Z] $group"
}
"""
# Ends the script if the record $1 has another token than $2.
_OURS = f"""
read -r _ token < "$1/keeper" && [ "$token" != "$2" ] && exit {_ANOTHERS}
"""
# $1 the record, $2 the token, $3 the file that grows, $4 how much of the output. How it ended is
# not known if its guardian is not there to see it. What is left behind may keep the output for
# longer than it is waited for.
_POLL = (
    _LIVES
    + f"""
stat -L -c %s -- "$3" 2>/dev/null || echo 0
[ -f "$1/status" ] || cat -- "$1/status" || exit 1
{_OURS}
dead=; lives "$1" guardian || dead=1
read -r status < "$1/status"
case $status in
''|{guardian.RUNNING}) [ -n "$dead" ] || {{ echo; exit 0; }}; status={_UNKNOWN};;
esac
echo "$status"
count=0; while lives "$1" keeper && [ $((count += 1)) -lt 10 ]; do sleep 0.05; done
tr -d '\\000' < "$1/output" | tail -c "$4"
"""
)
# $1 the record, $2 the token, $3 whether a start may be on its way, which the record keeps from
# being one. Ends whatever of the utility is left: asked first, then made to. Without a record
# nobody knows of it.
_STOP = (
    _BEGUN
    + _LIVES
    + f"""
[ -n "$3" ] && mkdir -- "$1" 2>/dev/null && exit 0
[ -f "$1/pid" ] || [ -n "$3" ] || exit {_LEFT}
[ -d "$1" ] && begun "$1" || exit 0
{_OURS}
ended() {{
  read -r status < "$1/status"
  [ "${{status:-{guardian.RUNNING}}}" != {guardian.RUNNING} ]
}}
ended "$1" || ! lives "$1" utility || kill -TERM "-$group" 2>/dev/null
count=0
while lives "$1" utility; do
  [ $((count += 1)) -le 100 ] || exit {_LEFT}
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
        self._program = ""
        self._record = record
        self._token = secrets.token_hex(16)
        self._watched = watched
        self._lock = lock
        self._at_work = False
        self._is_sure = False  # that the start has reached the host
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
        self._connection.cancellation.check()
        self._program = argv[0]
        run = self._lock.run if self._lock else self._connection.run
        self._at_work = True
        try:
            answer = run(_START, self._record, self._token, *argv)
        except Cut as cut:
            self._connection.reconnect(cut)
            self._at_work = not self._connection.ask(_CLAIM, self._record).status
            if not self._at_work:
                raise
            self._is_sure = True
        else:
            self._is_sure = True
            self._at_work = answer.status in (0, _NOT_BEGUN)
            check(answer, self._record)

    def poll(self) -> tuple[Completed | None, int]:
        """Wait a moment; return how it ended, once it has, and the watched file's size so far.

        While there is no connection, it is tried again: what it does there is not known.
        """
        self._connection.cancellation.check()
        time.sleep(self._pause)
        arguments = (self._record, self._token, self._watched, str(common.LAST_SAID))
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
        if answer.status == _ANOTHERS:
            raise self._anothers()
        size, status, output = check(answer, self._record).output.split(b"\n", 2)
        self._size = int(size)
        if not status:
            return None, self._size
        if self._lock:
            self._lock.regain()
        ended = guardian.status(status.decode("ascii"), self._program, lambda: output)
        return Completed(ended, output), self._size

    def stop(self) -> None:
        """End whatever of it still runs.

        Raises:
            HostUnreachable: nobody knows what it does.
        """
        if not self._at_work:
            return
        doubt = "" if self._is_sure else "1"
        answer = self._connection.ask(_STOP, self._record, self._token, doubt)
        if answer.status == _LEFT and self._lock:
            self._lock.is_left = True

    def _anothers(self) -> LockBusy:
        return LockBusy(
            f"How {self._program} ended on {self._connection.host} is not known: while the "
            f"connection was cut, another command has begun, and {shown(self._record)} is its own.",
            "Let that command end, and run the same command again.",
        )


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
            if lock:
                lock.is_left = True  # whatever the connection does meanwhile
            error.what += f" {gone.what} What was started there may still be running."
        raise
    except BaseException:
        job.stop()
        raise
    job.stop()
